# How far did people come, and why did the others stop?
import matplotlib.pyplot as plt
from hyperstudy_warehouse import hsw_open, hsw_read

db = hsw_open("data/demo.db")
people = hsw_read(db, "people", where="NOT is_agent", labels=True)
stages = hsw_read(db, "stages").merge(people[["experiment_id", "room_id", "participant_id"]]).sort_values("number")
reached = stages.drop_duplicates(["room_id", "participant_id", "state_name"]).groupby("state_name", sort=False).size()
print(people[~people.is_complete].completion_code.value_counts())
plt.bar(["joined", *reached.index, "complete"], [len(people), *reached, people.is_complete.sum()])
plt.savefig("7_drop_out.png")
