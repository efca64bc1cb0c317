# How do ratings develop over the film, by condition? Means of each participant in ten-second bins, then over participants.
import matplotlib.pyplot as plt
from hyperstudy_warehouse import hsw_open, hsw_ratings

ratings = hsw_ratings(hsw_open("data/demo.db"), "Gemeinsam schauen", condition="condition")
ratings["bin"] = ratings.onset_s // 10 * 10
own = ratings.groupby(["condition", "bin", "room_id", "participant_id"]).value.mean()
course = own.groupby(["condition", "bin"]).mean().unstack("condition")
course.plot(xlabel="seconds", ylabel="mean rating", ylim=(0, 100))
plt.savefig("1_rating_course.png")
