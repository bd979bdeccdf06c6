# Draws of the fits in r/fits, and lme4's estimates, as tables: Rscript tools/study/store.R folder
source("r/setup.R")
folder <- commandArgs(trailingOnly = TRUE)[1]
names <- c("pooled", "random_intercept", "random_slope", "two_factors", "returned", "pages")
for (name in names) {
  kept <- if (name %in% names[1:3]) 500 else 250 # draws of each chain
  draws <- as_draws_df(readRDS(file.path("r/fits", paste0(name, ".rds"))))
  draws <- as.data.frame(draws)[setdiff(names(draws), c("lprior", "lp__", ".draw"))]
  each <- max(draws$.iteration) %/% kept
  draws <- draws[draws$.iteration %% each == 0 & draws$.iteration <= kept * each, ]
  write_csv(mutate(draws, across(where(is.numeric), \(x) signif(x, 6))), file.path(folder, paste0(name, ".csv.gz")))
}

formulas <- list(
  random_intercept = bounce_time ~ std_age + (1 | county),
  random_slope = bounce_time ~ std_age + (std_age | county)
)
estimate <- function(formula) {
  fit <- lme4::lmer(formula, data = visits)
  fixed <- summary(fit)$coefficients
  spread <- as.data.frame(lme4::VarCorr(fit))
  data.frame(
    parameter = c("intercept", "slope", c("group_sd", if (nrow(spread) > 2) c("slope_sd", "rho"), "sigma")),
    estimate = c(fixed[, "Estimate"], spread$sdcor),
    error = c(fixed[, "Std. Error"], rep(NA, nrow(spread)))
  )
}
bind_rows(lapply(formulas, estimate), .id = "model") |> write_csv(file.path(folder, "lme4.csv"))

used <- c("R", "brms", "rstan", "lme4", "bayesplot", "loo", "posterior", "ggplot2", "dplyr")
versions <- c(as.character(getRversion()), sapply(used[-1], \(name) as.character(packageVersion(name))))
jsonlite::write_json(as.list(setNames(versions, used)), file.path(folder, "versions.json"), auto_unbox = TRUE)
