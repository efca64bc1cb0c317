# Which medium was on the screen at each rating?
source("hyperstudy_warehouse.R")
ratings <- hsw_ratings(hsw_open("data/demo.db"), medium = TRUE)
shown <- paste(ifelse(is.na(ratings$state_name), "before the first state", ratings$state_name),
  ifelse(is.na(ratings$medium), "none", ratings$medium), sep = ": ")
print(aggregate(list(mean = ratings$value), list(shown = shown), mean))
png("5_medium_on_screen.png", 640, 240)
par(mar = c(4, 11, 1, 1))
barplot(table(shown), horiz = TRUE, las = 1, xlab = "ratings")
invisible(dev.off())
