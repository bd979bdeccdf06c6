source("r/setup.R")
require_compiler()

# What brms would assume ----
# `get_prior` lists every parameter that may have a prior, and what it gets if
# you say nothing. A row without a prior has that of its class, the row without
# `coef`; where that is empty too (class "b"), any number goes. The student_t
# priors look at the outcomes: the intercept's centre is their median, the
# scales are their spread (MAD). `lb` is a lower bound: an sd is cut at 0.
shown <- c("prior", "class", "coef", "group", "lb")
defaults <- get_prior(bounce_time ~ std_age + (std_age | county), data = visits)
as.data.frame(defaults)[shown]

# Why 0 + Intercept ----
# In `y ~ x` brms centres the predictors, and the prior of class "Intercept"
# holds for the centred intercept. With `0 + Intercept` the intercept is a
# coefficient like others, where all predictors are 0: the book's intercept. Our
# `std_age` has the mean 0 already, so here both are the same; with a raw age
# they would not be.
as_coefficient <- get_prior(
  bounce_time ~ 0 + Intercept + std_age + (std_age | county),
  data = visits
)
as.data.frame(as_coefficient)[shown]

# The book's priors ----
# Class "b" holds coefficients, "sd" the sds of groups, "cor" their
# correlations. A normal prior of an sd is cut at 0, so it is a half-normal
# one. lkj(1) is flat for one correlation; lkj(2) makes those near -1 and 1
# rare.
data.frame(prior = book)
ours <- c(
  set_prior(book["intercept"], class = "b", coef = "Intercept"),
  set_prior(book["slope"], class = "b", coef = "std_age"),
  set_prior(book["sigma"], class = "sigma"),
  set_prior(book["group_sd"], class = "sd", coef = "Intercept", group = "county"),
  set_prior(book["slope_sd"], class = "sd", coef = "std_age", group = "county"),
  set_prior(book["rho"], class = "cor")
)

# Simulate from the priors ----
# With `sample_prior = "only"` Stan never sees a bounce time; only ages and
# counties are used. `adapt_delta` makes Stan's steps smaller (see
# r/08_diagnostics.R), `refresh` and `silent` keep it quiet.
expected <- brm(
  bounce_time ~ 0 + Intercept + std_age + (std_age | county),
  data = visits, prior = ours, sample_prior = "only",
  control = list(adapt_delta = 0.99),
  seed = 2020, refresh = 0, silent = 2, file = "r/fits/prior_ours"
)

# The flip-book ----
# Each page is a table of visits that these priors hold for possible. Could
# they be visits? To turn one page at a time, call `show_pages(expected, 1)`
# again and again.
show_pages <- function(fit, pages, title = NULL) {
  drawn <- posterior_predict(fit, ndraws = pages)
  tibble(
    page = rep(seq_len(pages), times = nrow(visits)),
    age = rep(visits$age, each = pages),
    county = rep(visits$county, each = pages), bounce_time = as.vector(drawn)
  ) |>
    ggplot(aes(age, bounce_time, colour = county)) +
    annotate(
      "rect",
      xmin = -Inf, xmax = Inf, ymin = 0, ymax = 600,
      fill = "steelblue", alpha = 0.15
    ) +
    geom_point(size = 0.3, alpha = 0.5, show.legend = FALSE) +
    facet_wrap(vars(page), nrow = 2) +
    coord_cartesian(ylim = c(-400, 1000)) +
    labs(x = "Age (years)", y = "Bounce time (s)", title = title)
}
set.seed(2020)
show_pages(
  expected, 8,
  "Under our priors, most pages could be visits (blue: possible times)"
)

# Generic priors ----
# Wide ones around 0, "to let the data speak", for parameters of any kind. Wider
# is not all that they are: the intercept's centre is 0 in place of 200, so half
# of what they expect lies below 0, and lkj(1) is flat.
wide <- c(
  set_prior("normal(0, 100)", class = "b"),
  set_prior("normal(0, 100)", class = "sigma"),
  set_prior("normal(0, 100)", class = "sd"),
  set_prior("lkj(1)", class = "cor")
)
generic <- brm(
  bounce_time ~ 0 + Intercept + std_age + (std_age | county),
  data = visits, prior = wide, sample_prior = "only",
  control = list(adapt_delta = 0.99),
  seed = 2020, refresh = 0, silent = 2, file = "r/fits/prior_generic"
)
set.seed(2020)
show_pages(generic, 8, "Under generic priors, hardly a page could be visits")

# Count what cannot be ----
share <- function(fit) {
  times <- posterior_predict(fit)
  c(below_0 = mean(times < 0), above_600 = mean(times > 600))
}
round(100 * rbind(ours = share(expected), generic = share(generic)), 1) # %
