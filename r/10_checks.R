source("r/setup.R")

# The fits ----
# Made by r/05_pooled.R, r/06_random_intercept.R and r/07_random_slope.R; run
# these first.
pooled <- readRDS("r/fits/pooled.rds")
random_intercept <- readRDS("r/fits/random_intercept.rds")
random_slope <- readRDS("r/fits/random_slope.rds")
set.seed(2020)

# All visits at once ----
# The check that most people stop at, and that the wrong model passes too.
pp_check(pooled, ndraws = 50) +
  labs(
    x = "Bounce time (s)",
    title = "One line for all: simulated visits look right"
  )

# Ask the counties ----
# A statistic that the model does not aim at: each county's mean.
ask_counties <- \(fit) bayesplot::ppc_stat_grouped(
  visits$bounce_time, posterior_predict(fit, ndraws = 1000),
  group = visits$county, stat = "mean", binwidth = 0.5, facet_args = list(nrow = 2)
) +
  scale_x_continuous(n.breaks = 3) +
  labs(x = "Mean bounce time (s)")
ask_counties(pooled) + ggtitle("One line for all: many counties lie elsewhere")
ask_counties(random_intercept) +
  ggtitle("An intercept for each county: all are where they should be")

# Which model predicts better ----
# Leave each visit out in turn, by weights of the draws (PSIS). Differences
# come with their standard error.
compared <- loo_compare(loo(pooled), loo(random_intercept), loo(random_slope))
print(compared[, c("elpd_diff", "se_diff", "elpd_loo", "p_loo")])
