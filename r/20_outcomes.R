source("r/setup.R")
require_compiler()

# The visits ----
# The same visits with two further columns: whether the visitor came back within
# a week (1 or 0), and how many further pages were opened.
outcomes <- read_columns(
  "data/next_visits.csv", c("county", "age", "returned", "pages")
) |>
  mutate(county = factor(county), std_age = (age - mean(age)) / sd(age))
outcomes |>
  group_by(county) |>
  summarise(visits = n(), returned = mean(returned), pages = mean(pages)) |>
  as.data.frame()

# A yes or a no ----
# A line for the log odds of a yes. There is no sigma: a chance says itself how
# its outcomes scatter. The priors are on the scale of log odds, where 1.5 is
# wide.
ours <- c(
  set_prior("normal(0, 1.5)", class = "b", coef = "Intercept"),
  set_prior("normal(0, 0.5)", class = "b", coef = "std_age"),
  set_prior("normal(0, 1)", class = "sd")
)
returned <- brm(
  returned ~ 0 + Intercept + std_age + (1 | county),
  data = outcomes, family = bernoulli(), prior = ours, iter = 3000,
  control = list(adapt_delta = 0.99), seed = 2020, refresh = 0, silent = 2,
  file = "r/fits/returned"
)
require_converged(returned)

# What it says ----
# Within a county the odds of coming back grow with age; `exp` of a slope is a
# ratio of odds.
fixef(returned)
VarCorr(returned)$county$sd # of the counties' log odds
ratio <- exp(as_draws_df(returned)$b_std_age * decade) # of odds, per decade
c(mean = mean(ratio), quantile(ratio, c(0.025, 0.975)))

# In points ----
# Nobody feels log odds. `posterior_epred` gives chances: those of these visits,
# and of the same with ten more years. Average each over the visits; how much do
# they differ, in percentage points?
older <- mutate(outcomes, std_age = std_age + decade)
points <- 100 * rowMeans(
  posterior_epred(returned, newdata = older) - posterior_epred(returned)
)
c(mean = mean(points), quantile(points, c(0.025, 0.975)))

# The same in lme4 ----
# `glmer` has no priors; it approximates the likelihood (by Laplace's method)
# and maximizes it. Its sd of counties lies below brms's: maximum likelihood is
# low with eight counties, and a highest point of a skewed curve lies below its
# mean.
by_likelihood <- lme4::glmer(
  returned ~ std_age + (1 | county),
  data = outcomes, family = binomial
)
summary(by_likelihood)$coefficients
print(lme4::VarCorr(by_likelihood), digits = 4)

# Counts ----
# A line for the log of the mean. Negative binomial: the variance of a count is
# mean + mean^2 / shape; Python calls the shape alpha.
ours <- c(
  set_prior("normal(1, 1)", class = "b", coef = "Intercept"),
  set_prior("normal(0, 0.5)", class = "b", coef = "std_age"),
  set_prior("normal(0, 0.5)", class = "sd"),
  set_prior("normal(0, 5)", class = "shape")
)
pages <- brm(
  pages ~ 0 + Intercept + std_age + (1 | county),
  data = outcomes, family = negbinomial(), prior = ours, iter = 3000,
  control = list(adapt_delta = 0.99), seed = 2020, refresh = 0, silent = 2,
  file = "r/fits/pages"
)
require_converged(pages)

# What the counts say ----
# `exp` of a slope is a ratio of means here: below 1, older visitors of a county
# open fewer pages.
drawn <- as_draws_df(pages)
ratio <- exp(drawn$b_std_age * decade) # of means, per decade
c(mean = mean(ratio), quantile(ratio, c(0.025, 0.975)))
c(mean = mean(drawn$shape), quantile(drawn$shape, c(0.025, 0.975)))
