source("r/setup.R")
require_compiler()

# The model ----
# One line for all visits. Each coefficient has its own prior; `sigma` is the
# residual sd.
ours <- c(
  set_prior(book["intercept"], class = "b", coef = "Intercept"),
  set_prior(book["slope"], class = "b", coef = "std_age"),
  set_prior(book["sigma"], class = "sigma")
)
pooled <- brm(
  bounce_time ~ 0 + Intercept + std_age,
  data = visits, prior = ours, seed = 2020, refresh = 0, silent = 2,
  file = "r/fits/pooled"
)
require_converged(pooled)

# What it says ----
fixef(pooled)
summary(pooled)

# Per decade ----
# Older visitors seem to stay longer. The draws are a table with a column a
# parameter: whatever you want to know, compute it from each draw.
slope <- as_draws_df(pooled)$b_std_age * decade
c(mean = mean(slope), quantile(slope, c(0.025, 0.975)), below_0 = mean(slope < 0))
