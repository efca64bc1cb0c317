# How long do complete participants take for each question?
import matplotlib.pyplot as plt
from hyperstudy_warehouse import hsw_open, hsw_read

db = hsw_open("data/demo.db")
people = hsw_read(db, "people").query("is_complete and not is_agent")
answers = hsw_read(db, "answers", where="is_last = 1").merge(people[["experiment_id", "room_id", "participant_id"]])
answers["seconds"] = answers.response_time / 1000
axes = answers.dropna(subset="seconds").boxplot("seconds", by="question", vert=False)
axes.set(title="", ylabel="", xlabel="seconds")
plt.savefig("2_response_times.png", bbox_inches="tight")
