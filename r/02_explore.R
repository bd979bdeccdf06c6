source("r/setup.R")

# The visits ----
# One row a visit: how long somebody stayed (s), age (years), county.
glimpse(visits)
visits |>
  group_by(county) |>
  summarise(visits = n(), mean_age = mean(age), mean_time = mean(bounce_time)) |>
  arrange(mean_age) |>
  as.data.frame()

# One line through all visits ----
# The baseline. Slopes are per sd of age; times `decade` they are per ten
# years.
ggplot(visits, aes(age, bounce_time)) +
  geom_point(alpha = 0.3) +
  geom_smooth(method = "lm", formula = y ~ x) +
  labs(
    x = "Age (years)", y = "Bounce time (s)",
    title = "Older visitors stay longer, says one line"
  )
one_line <- lm(bounce_time ~ std_age, data = visits)
coef(summary(one_line))
coef(one_line)[["std_age"]] * decade # s per decade

# A line for each county ----
ggplot(visits, aes(age, bounce_time, colour = county)) +
  geom_point(alpha = 0.3) +
  geom_smooth(method = "lm", formula = y ~ x, se = FALSE) +
  labs(
    x = "Age (years)", y = "Bounce time (s)", colour = NULL,
    title = "Older visitors stay less long, says each county"
  )

# The paradox ----
# The same slope three ways: all visits, within counties, between the counties'
# means.
within <- lm(bounce_time ~ std_age + county, data = visits)
means <- visits |>
  group_by(county) |>
  summarise(std_age = mean(std_age), bounce_time = mean(bounce_time))
between <- lm(bounce_time ~ std_age, data = means)
three <- list(all = one_line, within = within, between = between)
sapply(three, \(fit) coef(fit)[["std_age"]] * decade)
