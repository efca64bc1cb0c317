# Do two people of a room rate alike? Both on a grid of one second, the last value carried forward.
import matplotlib.pyplot as plt
from hyperstudy_warehouse import hsw_open, hsw_ratings, hsw_read

db = hsw_open("data/demo.db")
two = hsw_read(db, "people", "Gemeinsam schauen", where="room_number = 1 AND participant_number <= 2")
ratings = hsw_ratings(db).merge(two[["room_id", "participant_id", "participant_number"]])
ratings["second"] = ratings.onset_s // 1 + 1
pair = ratings.pivot_table(index="second", columns="participant_number", values="value", aggfunc="last").ffill().dropna()
pair[1].rolling(30).corr(pair[2]).plot(ylim=(-1, 1), ylabel="correlation over 30 seconds", title=f"r = {pair[1].corr(pair[2]):.2f}")
plt.savefig("4_synchrony.png")
