# One row a person: the questions as columns, and a score, by condition.
import matplotlib.pyplot as plt
from hyperstudy_warehouse import hsw_open, hsw_read

wide = hsw_read(hsw_open("data/demo.db"), "wide_gemeinsam_schauen")
wide["score"] = wide[["cmp_likert_0", "cmp_likert_1", "cmp_likert_2"]].mean(axis=1)
print(wide.groupby("var_condition").score.agg(["count", "mean", "std"]).round(2))
wide.boxplot("score", by="var_condition")
plt.savefig("6_questionnaire_score.png")
