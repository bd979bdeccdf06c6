source("r/setup.R")
require_compiler()

# The model ----
# `(std_age | county)` gives each county a level and a slope, and these a
# correlation with an LKJ prior; `(std_age || county)` leaves it out. (In the
# Python library Bambi `|` has none either.)
ours <- c(
  set_prior(book["intercept"], class = "b", coef = "Intercept"),
  set_prior(book["slope"], class = "b", coef = "std_age"),
  set_prior(book["sigma"], class = "sigma"),
  set_prior(book["group_sd"], class = "sd", coef = "Intercept", group = "county"),
  set_prior(book["slope_sd"], class = "sd", coef = "std_age", group = "county"),
  set_prior(book["rho"], class = "cor")
)
random_slope <- brm(
  bounce_time ~ 0 + Intercept + std_age + (std_age | county),
  data = visits, prior = ours, iter = 3000, control = list(adapt_delta = 0.99),
  seed = 2020, refresh = 0, silent = 2, file = "r/fits/random_slope"
)
require_converged(random_slope)

# What it says ----
summary(random_slope)
slope <- as_draws_df(random_slope)$b_std_age * decade # s per decade
c(mean = mean(slope), quantile(slope, c(0.025, 0.975)), below_0 = mean(slope < 0))

# Shrinkage ----
# Each county's own least-squares slope, and what the model makes of it, per
# decade.
alone <- coef(lme4::lmList(bounce_time ~ std_age | county, data = visits))
data.frame(
  county = levels(visits$county), visits = as.vector(table(visits$county)),
  alone = alone[levels(visits$county), "std_age"] * decade,
  pooled = coef(random_slope)$county[, "Estimate", "std_age"] * decade
) |>
  ggplot(aes(visits)) +
  geom_hline(
    yintercept = fixef(random_slope)["std_age", "Estimate"] * decade,
    colour = "grey60"
  ) +
  geom_segment(aes(xend = visits, y = alone, yend = pooled), colour = "grey60") +
  geom_point(aes(y = alone), shape = 1) +
  geom_point(aes(y = pooled)) +
  geom_text(
    aes(y = alone, label = county, vjust = if_else(alone > pooled, -0.3, 1.3)),
    hjust = -0.2, size = 3
  ) +
  scale_x_log10(limits = c(6, 260)) +
  labs(
    x = "Visits of the county (log scale)", y = "Slope (s per decade)",
    title = "Slopes are pulled together (open: alone, filled: pooled)"
  )

# The same in lme4 ----
by_reml <- lme4::lmer(bounce_time ~ std_age + (std_age | county), data = visits)
summary(by_reml)$coefficients
print(lme4::VarCorr(by_reml), digits = 4)

# A singular fit ----
# Eight visits a county at most: the restricted likelihood is highest where an
# sd is 0 or a correlation is -1 or 1, and lme4 says "boundary (singular) fit".
# It is no error, and does not say whether these rows cannot tell or the sd is
# truly small. `confint(at_the_edge)` would profile the likelihood; a posterior
# has what prior and rows allow together.
few <- visits |> group_by(county) |> slice_head(n = 8) |> ungroup()
at_the_edge <- lme4::lmer(bounce_time ~ std_age + (std_age | county), data = few)
c(all = lme4::isSingular(by_reml), few = lme4::isSingular(at_the_edge))
print(lme4::VarCorr(at_the_edge), digits = 4)
