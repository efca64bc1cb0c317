# How long do complete participants take for each question?
source("hyperstudy_warehouse.R")
db <- hsw_open("data/demo.db")
people <- subset(hsw_read(db, "people"), is_complete & !is_agent, c(experiment_id, room_id, participant_id))
answers <- merge(hsw_read(db, "answers", where = "is_last = 1"), people)
answers$seconds <- answers$response_time / 1000
png("2_response_times.png", 640, 480)
par(mar = c(4, 11, 1, 1))
boxplot(seconds ~ question, answers, horizontal = TRUE, las = 1, ylab = "")
invisible(dev.off())
