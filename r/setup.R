# What each script of this folder begins with: packages, the visits, the
# priors, and two gates. Run from the top of the repository: Rscript
# r/06_random_intercept.R

needed <- c(
  "bayesplot", "brms", "dplyr", "ggplot2", "lme4", "posterior", "readr", "tidyr"
)
missing <- needed[!vapply(needed, requireNamespace, logical(1), quietly = TRUE)]
if (length(missing) > 0) {
  stop(
    "R misses ", paste(missing, collapse = ", "),
    ": install them as r/README.md says.",
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
  mc.cores = 2, # chains at a time
  brms.backend = getOption("brms.backend", "rstan"), # or "cmdstanr"
  # Fits are kept in r/fits, and made again when code, priors or data change.
  brms.file_refit = "on_change",
  digits = 4,
  width = 88
)
dir.create("r/fits", showWarnings = FALSE)
theme_set(theme_minimal())

# The visits. `std_age` is age in sds from its mean, so that priors and sampler
# meet numbers near 1.
visits <- read_csv("data/bounce_times.csv", show_col_types = FALSE) |>
  mutate(
    county = factor(county),
    std_age = (age - mean(age)) / sd(age)
  )
decade <- 10 / sd(visits$age) # ten years, in sds of age

# The book's priors, from the file that the Python models write; the text is
# Stan's, such as "normal(0, 10)".
book <- read_csv("data/priors.csv", show_col_types = FALSE)
book <- setNames(book$prior, book$parameter)

#' Stop unless a fit may be read: no divergence, chains that met, and enough effective draws.
require_converged <- function(fit) {
  nuts <- nuts_params(fit, pars = "divergent__")
  divergent <- sum(nuts$Value)
  found <- posterior::summarise_draws(as_draws_array(fit), "rhat", "ess_bulk", "ess_tail")
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
