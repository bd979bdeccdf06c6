source("r/setup.R")
require_compiler()

# The fit ----
# Made by r/07_random_slope.R; run that first.
random_slope <- read_fit("random_slope")
draws <- as_draws_array(random_slope)[, , 1:6]
dimnames(draws)$variable # as brms calls them
draws <- posterior::rename_variables( # as the book calls them
  draws,
  intercept = b_Intercept, slope = b_std_age, group_sd = sd_county__Intercept,
  slope_sd = sd_county__std_age, rho = cor_county__Intercept__std_age
)

# R-hat and ESS ----
# R-hat near 1: the chains agree with each other. ESS: how many independent
# draws they are worth, in the bulk and in the tails. The column `mcse_mean` is
# the error of the mean, and says which digits you may print.
posterior::summarise_draws(
  draws, "mean", "sd", "mcse_mean", "rhat", "ess_bulk", "ess_tail"
) |>
  mutate(across(-variable, \(x) signif(as.numeric(x), 4))) |>
  as.data.frame()

# Trace and rank plots ----
# Traces that look like noise, and ranks that are spread evenly in each chain.
bayesplot::mcmc_trace(draws, pars = c("group_sd", "slope_sd", "rho"))
bayesplot::mcmc_rank_overlay(draws, pars = c("group_sd", "slope_sd", "rho"))

# Energy ----
# Both histograms should have about the same width. Where that of the changes
# (pi_DeltaE) is much the narrower, heavy tails were not reached.
bayesplot::mcmc_nuts_energy(nuts_params(random_slope), binwidth = 1)

# Divergences ----
# Two visits a county hardly tell noise from differences between counties. Where
# `sigma` is small and slopes differ much, Stan's default steps
# (`adapt_delta = 0.8`) are too large: draws diverge there, and that corner of
# the posterior may be left out. Smaller steps come first.
few <- visits |> group_by(county) |> slice_head(n = 2) |> ungroup()
refit <- \(adapt_delta) update(
  random_slope,
  newdata = few, control = list(adapt_delta = adapt_delta),
  seed = 2020, refresh = 0, silent = 2
)
bold <- refit(0.8)
careful <- refit(0.99)
divergent <- \(fit) sum(nuts_params(fit, pars = "divergent__")$Value)
c(adapt_delta_0.8 = divergent(bold), adapt_delta_0.99 = divergent(careful))
went_wrong <- nuts_params(bold, pars = "divergent__")$Value == 1
as_draws_df(bold) |>
  as_tibble() |>
  group_by(divergent = went_wrong) |>
  summarise(sigma = median(sigma), slope_sd = median(sd_county__std_age)) |>
  as.data.frame()
