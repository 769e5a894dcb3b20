//! What REST clients ask about agents, events and counts.
