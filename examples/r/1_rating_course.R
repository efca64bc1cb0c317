# How do ratings develop over the film, by condition? Means of each participant in ten-second bins, then over participants.
source("hyperstudy_warehouse.R")
ratings <- hsw_ratings(hsw_open("data/demo.db"), "Gemeinsam schauen", condition = "condition")
ratings$bin <- ratings$onset_s %/% 10 * 10
own <- aggregate(value ~ condition + bin + room_id + participant_id, ratings, mean)
course <- aggregate(value ~ condition + bin, own, mean)
png("1_rating_course.png", 640, 480)
plot(value ~ bin, course, type = "n", ylim = c(0, 100), xlab = "seconds", ylab = "mean rating")
for (one in split(course, course$condition)) lines(value ~ bin, one, lty = match(one$condition[1], unique(course$condition)))
legend("topright", unique(course$condition), lty = seq_along(unique(course$condition)))
invisible(dev.off())
