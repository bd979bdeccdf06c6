source("r/setup.R")

# The fits ----
# Made by r/05_pooled.R, r/06_random_intercept.R and r/07_random_slope.R; run
# these first.
fits <- list(
  pooled = readRDS("r/fits/pooled.rds"),
  random_intercept = readRDS("r/fits/random_intercept.rds"),
  random_slope = readRDS("r/fits/random_slope.rds")
)

# Do younger visitors stay longer? ----
# The population's slope, in seconds per decade: posterior mean, 95 % interval
# (equal tails), probability below 0.
answer <- function(fit) {
  slope <- as_draws_df(fit)$b_std_age * decade
  c(mean = mean(slope), quantile(slope, c(0.025, 0.975)), below_0 = mean(slope < 0))
}
round(t(sapply(fits, answer)), 3)

# By county ----
# A county's slope is the population's plus its own deviation, in each draw.
draws <- as_draws_df(fits$random_slope)
slopes <- sapply(
  levels(visits$county),
  \(county) {
    (draws$b_std_age + draws[[paste0("r_county[", county, ",std_age]")]]) * decade
  }
)
summarise_slope <- \(slope) c(mean = mean(slope), quantile(slope, c(0.025, 0.975)))
round(t(apply(slopes, 2, summarise_slope)), 2)

# A county never seen ----
# Its slope is drawn around the population's, with the sd between counties: it
# is known less well.
set.seed(2020)
new <- rnorm(nrow(draws), draws$b_std_age, draws$sd_county__std_age) * decade
c(mean = mean(new), quantile(new, c(0.025, 0.975)), below_0 = mean(new < 0))

# The next visitor ----
# Somebody of 30 and somebody of 60 in a new county: the difference of what we
# expect, and single visits.
people <- data.frame(age = c(30, 60), county = "Somewhere") |>
  mutate(std_age = (age - mean(visits$age)) / sd(visits$age))
given <- list(newdata = people, allow_new_levels = TRUE, sample_new_levels = "gaussian")
expected <- do.call(posterior_epred, c(list(fits$random_slope), given))
quantile(expected[, 1] - expected[, 2], c(0.025, 0.5, 0.975))
visit <- do.call(posterior_predict, c(list(fits$random_slope), given))
apply(visit, 2, quantile, c(0.025, 0.5, 0.975))
