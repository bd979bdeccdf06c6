source("r/setup.R")

# The fits ----
# Made by r/05_pooled.R, r/06_random_intercept.R and r/07_random_slope.R; run
# these first.
pooled <- read_fit("pooled")
random_intercept <- read_fit("random_intercept")
random_slope <- read_fit("random_slope")
set.seed(2020)

# All visits at once ----
# The check that most people stop at; the wrong model nearly passes it.
pp_check(pooled, ndraws = 50) +
  labs(
    x = "Bounce time (s)",
    title = "One line for all: simulated visits look nearly right"
  )

# Ask the counties ----
# A statistic that one line for all does not aim at: each county's mean. (An
# intercept for each county does aim at it, and must get it right.)
ask_counties <- \(fit) bayesplot::ppc_stat_grouped(
  visits$bounce_time, posterior_predict(fit, ndraws = 1000),
  group = visits$county, stat = "mean", binwidth = 0.5, facet_args = list(nrow = 2)
) +
  scale_x_continuous(breaks = \(limits) pretty(limits, 3)) +
  theme(panel.spacing.x = unit(1, "lines"), axis.text.x = element_text(size = 7)) +
  labs(x = "Mean bounce time (s)")
ask_counties(pooled) + ggtitle("One line for all: many counties lie elsewhere")
ask_counties(random_intercept) +
  ggtitle("An intercept for each county: all are where they should be")

# Which model predicts better ----
# Leave each visit out in turn, by weights of the draws (PSIS), which hold where
# every Pareto k is below 0.7. Differences come with their standard error: one
# within a few of these decides nothing.
scores <- list(
  pooled = loo(pooled),
  random_intercept = loo(random_intercept),
  random_slope = loo(random_slope)
)
sapply(scores, \(score) max(score$diagnostics$pareto_k))
print(loo_compare(scores)[, c("elpd_diff", "se_diff", "elpd_loo", "p_loo")])
