# Where in a participant's recording does each of their ratings lie? Counted from the start of the recording.
import matplotlib.pyplot as plt
from hyperstudy_warehouse import hsw_open, hsw_ratings, hsw_read

db = hsw_open("data/demo.db")
person = ["experiment_id", "room_id", "participant_id"]
recordings = hsw_read(db, "recordings")[[*person, "recording_id", "start_time_unix"]]
aligned = hsw_ratings(db).merge(recordings, on=person)
aligned["video_s"] = aligned.timestamp_unix - aligned.start_time_unix
aligned[aligned.recording_id == recordings.recording_id[0]].plot("video_s", "value", xlabel="seconds in the recording", ylabel="rating")
plt.savefig("8_recordings.png")
