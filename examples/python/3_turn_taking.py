# Who writes after whom in the chat? Each message that follows one of another person in its room is a turn.
import matplotlib.pyplot as plt
from hyperstudy_warehouse import hsw_open, hsw_read

chat = hsw_read(hsw_open("data/demo.db"), "chat").sort_values(["room_id", "onset"])
before = chat.groupby("room_id").shift()
turns = chat[before.participant_id.notna() & (chat.participant_id != before.participant_id)]
gaps = turns.onset_s - before.onset_s[turns.index]
print(f"{len(turns)} turns in {len(chat)} messages, median gap {gaps.median():.1f} s")
gaps.plot.hist(bins=30, xlabel="seconds from one person's message to the next person's")
plt.savefig("3_turn_taking.png")
