"""The line to the hub: when to call, what to bring, what came back; nothing in between is believed."""
