# Which medium was on the screen at each rating?
import matplotlib.pyplot as plt
from hyperstudy_warehouse import hsw_open, hsw_ratings

ratings = hsw_ratings(hsw_open("data/demo.db"), medium=True)
shown = ratings.state_name.fillna("before the first state") + ": " + ratings.medium.fillna("none")
means = ratings.groupby(shown).value.agg(["count", "mean"])
print(means)
means["count"].plot.barh(xlabel="ratings", ylabel="", figsize=(6, 2))
plt.savefig("5_medium_on_screen.png", bbox_inches="tight")
