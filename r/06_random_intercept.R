source("r/setup.R")
require_compiler()

# The model ----
# `(1 | county)` gives each county a level of its own; class "sd" is how far
# these lie apart. More draws (`iter`, half of it warm-up) and smaller steps
# (`adapt_delta`) are what such models need.
ours <- c(
  set_prior(book["intercept"], class = "b", coef = "Intercept"),
  set_prior(book["slope"], class = "b", coef = "std_age"),
  set_prior(book["sigma"], class = "sigma"),
  set_prior(book["group_sd"], class = "sd")
)
random_intercept <- brm(
  bounce_time ~ 0 + Intercept + std_age + (1 | county),
  data = visits, prior = ours, iter = 3000, control = list(adapt_delta = 0.99),
  seed = 2020, refresh = 0, silent = 2, file = "r/fits/random_intercept"
)
require_converged(random_intercept)

# What it says ----
# Within a county the sign has turned: older visitors stay less long.
summary(random_intercept)
slope <- as_draws_df(random_intercept)$b_std_age * decade # s per decade
c(mean = mean(slope), quantile(slope, c(0.025, 0.975)), below_0 = mean(slope < 0))

# The counties ----
# `ranef` are deviations from the population; `coef` adds the population's.
round(ranef(random_intercept)$county[, , "Intercept"], 2)

# The same in lme4 ----
# No priors, no draws: the sds with the highest restricted likelihood (REML),
# and the rest given these. The intercept needs no `0 +`: it has no prior. REML
# gives one best sd of counties; brms's mean averages over all that eight
# counties allow, and these reach far up.
by_reml <- lme4::lmer(bounce_time ~ std_age + (1 | county), data = visits)
summary(by_reml)$coefficients
print(lme4::VarCorr(by_reml), digits = 4)
