# Where in a participant's recording does each of their ratings lie? Counted from the start of the recording.
source("hyperstudy_warehouse.R")
db <- hsw_open("data/demo.db")
person <- c("experiment_id", "room_id", "participant_id")
recordings <- hsw_read(db, "recordings")[c(person, "recording_id", "start_time_unix")]
aligned <- merge(hsw_ratings(db), recordings, by = person)
aligned$video_s <- aligned$timestamp_unix - aligned$start_time_unix
aligned <- aligned[order(aligned$video_s), ]
png("8_recordings.png", 640, 480)
plot(value ~ video_s, aligned[aligned$recording_id == recordings$recording_id[1], ], type = "l", xlab = "seconds in the recording")
invisible(dev.off())
