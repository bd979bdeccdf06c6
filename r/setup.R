# What each script of this folder begins with: packages, the visits, the
# priors, and the gate. Run from the top of the repository:
# Rscript r/06_random_intercept.R

if (!file.exists("data/bounce_times.csv")) {
  stop(
    "The table data/bounce_times.csv is not below ", getwd(),
    ": set the working directory to the top of the repository.",
    call. = FALSE
  )
}
needed <- c(
  "bayesplot", "brms", "dplyr", "ggplot2", "lme4", "posterior", "readr"
)
absent <- needed[!vapply(needed, requireNamespace, logical(1), quietly = TRUE)]
if (length(absent) > 0) {
  stop(
    "R misses ", paste(absent, collapse = ", "),
    "; r/README.md says how to install what is missing.",
    call. = FALSE
  )
}

suppressPackageStartupMessages({
  library(dplyr)
  library(ggplot2)
  library(readr)
  library(brms)
})

options(
  mc.cores = getOption("mc.cores", 2), # chains at a time
  brms.backend = getOption("brms.backend", "rstan"), # or "cmdstanr"
  # A script that fits always fits anew: brms would take an old fit from r/fits
  # even if draws, seed or adapt_delta are others now.
  brms.file_refit = getOption("brms.file_refit", "always"),
  digits = 4,
  width = 88
)
RNGkind("L'Ecuyer-CMRG") # a seed gives the same draws on two cores, too
dir.create("r/fits", showWarnings = FALSE)
theme_set(theme_minimal())

#' Read a table, and stop unless these columns are there, without gaps.
read_columns <- function(file, columns) {
  table <- read_csv(file, show_col_types = FALSE)
  for (column in columns) {
    if (!column %in% names(table)) {
      stop(file, " has no column '", column, "'.", call. = FALSE)
    }
    row <- which(is.na(table[[column]]))
    if (length(row) > 0) {
      stop(
        file, " has no ", column, " in row ", row[1] + 1, ": fill or drop it.",
        call. = FALSE
      )
    }
  }
  table
}

# The visits. `std_age` is age in sds from its mean, so that priors and sampler
# meet numbers near 1.
visits <- read_columns("data/bounce_times.csv", c("county", "age", "bounce_time")) |>
  mutate(
    county = factor(county),
    std_age = (age - mean(age)) / sd(age)
  )
decade <- 10 / sd(visits$age) # ten years, in sds of age

# The book's priors, from the file that the Python models write; the text is
# Stan's, such as "normal(0, 10)".
book <- read_columns("data/priors.csv", c("parameter", "prior"))
book <- setNames(book$prior, book$parameter)

#' Stop unless a fit may be read: no divergence, chains that met, and enough
#' effective draws.
require_converged <- function(fit) {
  nuts <- nuts_params(fit, pars = "divergent__")
  divergent <- sum(nuts$Value)
  found <- posterior::summarise_draws(
    as_draws_array(fit), "rhat", "ess_bulk", "ess_tail"
  )
  ess <- min(found$ess_bulk, found$ess_tail)
  said <- sprintf(
    "%d divergences, R-hat at most %.3f, ESS at least %.0f",
    divergent, max(found$rhat), ess
  )
  if (divergent > 0 || max(found$rhat) > 1.01 || ess < 400) {
    stop(
      "This fit must not be read (", said,
      "): raise adapt_delta, draw more, or look at the priors.",
      call. = FALSE
    )
  }
  cat("Fit passed:", said, "\n")
}

#' The fit that another script made, if it may be read and is of these visits.
read_fit <- function(name) {
  file <- file.path("r/fits", paste0(name, ".rds"))
  scripts <- c(pooled = "05", random_intercept = "06", random_slope = "07")
  script <- paste0("r/", scripts[name], "_", name, ".R")
  if (!file.exists(file)) {
    stop("There is no ", file, " yet: run ", script, " first.", call. = FALSE)
  }
  fit <- readRDS(file)
  columns <- intersect(names(fit$data), names(visits))
  now <- as.data.frame(visits)[columns]
  if (!isTRUE(all.equal(fit$data[columns], now, check.attributes = FALSE))) {
    stop(file, " is of other visits: run ", script, " again.", call. = FALSE)
  }
  require_converged(fit)
  fit
}

#' Stop if Stan cannot compile models here.
require_compiler <- function() {
  if (getOption("brms.backend") != "rstan") {
    return(invisible())
  }
  if (!suppressMessages(pkgbuild::has_build_tools())) {
    stop(
      "brms needs a C++ compiler, and R finds none: install one as r/README.md says.",
      call. = FALSE
    )
  }
  if (!file.exists(system.file("include/boost/version.hpp", package = "BH"))) {
    stop(
      "R's package BH has no Boost headers, as on Debian: ",
      "link them as r/README.md says.",
      call. = FALSE
    )
  }
}
