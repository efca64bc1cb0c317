# Who writes after whom in the chat? Each message that follows one of another person in its room is a turn.
source("hyperstudy_warehouse.R")
chat <- hsw_read(hsw_open("data/demo.db"), "chat")
chat <- chat[order(chat$room_id, chat$onset), ]
n <- nrow(chat)
turn <- chat$room_id[-1] == chat$room_id[-n] & chat$participant_id[-1] != chat$participant_id[-n]
gaps <- diff(chat$onset_s)[turn]
cat(sum(turn), "turns in", n, "messages, median gap", format(median(gaps), nsmall = 1), "s\n")
png("3_turn_taking.png", 640, 480)
hist(gaps, breaks = 30, main = "", xlab = "seconds from one person's message to the next person's")
invisible(dev.off())
