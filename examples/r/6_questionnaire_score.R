# One row a person: the questions as columns, and a score, by condition.
source("hyperstudy_warehouse.R")
wide <- hsw_read(hsw_open("data/demo.db"), "wide_gemeinsam_schauen")
wide$score <- rowMeans(wide[c("cmp_likert_0", "cmp_likert_1", "cmp_likert_2")])
print(aggregate(score ~ var_condition, wide, function(x) c(n = length(x), mean = mean(x), sd = sd(x))))
png("6_questionnaire_score.png", 640, 480)
boxplot(score ~ var_condition, wide)
invisible(dev.off())
