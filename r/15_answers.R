source("r/setup.R")

# The fits ----
# Made by r/05_pooled.R, r/06_random_intercept.R and r/07_random_slope.R; run
# these first.
fits <- list(
  pooled = read_fit("pooled"),
  random_intercept = read_fit("random_intercept"),
  random_slope = read_fit("random_slope")
)

# Do younger visitors stay longer? ----
# The population's slope, in seconds per decade: posterior mean, 95 % interval
# (equal tails), probability below 0. One line for all mixes what differs
# between counties with what differs within them, and it failed the checks;
# levels and slopes may well differ by county, so the last row answers.
answer <- function(fit) {
  slope <- as_draws_df(fit)$b_std_age * decade
  c(mean = mean(slope), quantile(slope, c(0.025, 0.975)), below_0 = mean(slope < 0))
}
round(t(sapply(fits, answer)), 3)

# By county ----
# A county's slope is the population's plus its own deviation, in each draw.
slopes <- coef(fits$random_slope, summary = FALSE)$county[, , "std_age"] * decade
summarise_slope <- \(slope) c(mean = mean(slope), quantile(slope, c(0.025, 0.975)))
round(t(apply(slopes, 2, summarise_slope)), 2)

# A county never seen ----
# Its slope is drawn around the population's, with the sd between counties: it
# is known less well.
draws <- as_draws_df(fits$random_slope)
set.seed(2020)
new <- rnorm(nrow(draws), draws$b_std_age, draws$sd_county__std_age) * decade
c(mean = mean(new), quantile(new, c(0.025, 0.975)), below_0 = mean(new < 0))

# The next visitor ----
# Somebody of 30 and somebody of 60 in a new county: the difference of what we
# expect, and single visits.
people <- data.frame(age = c(30, 60), county = "Somewhere") |>
  mutate(std_age = (age - mean(visits$age)) / sd(visits$age))
set.seed(2020)
expected <- posterior_epred(
  fits$random_slope,
  newdata = people, allow_new_levels = TRUE, sample_new_levels = "gaussian"
)
quantile(expected[, 1] - expected[, 2], c(0.025, 0.5, 0.975))
visit <- posterior_predict(
  fits$random_slope,
  newdata = people, allow_new_levels = TRUE, sample_new_levels = "gaussian"
)
apply(visit, 2, quantile, c(0.025, 0.5, 0.975))
