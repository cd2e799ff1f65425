# SPDX-License-Identifier: MIT
# The failed cases of TAP, as comments, each with the reasons that follow it.

/^ok [0-9]/ || /^# (===|.* took [0-9]+ s$)/ { bad = 0 }
/^not ok [0-9]/	{ bad = 1; reasons = 0; print "# " $0; next }
bad && /^#/ && reasons++ < 40
