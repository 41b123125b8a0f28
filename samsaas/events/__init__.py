"""What happened and may need a person: `notice` finds it in what is stored, `tell` and `call` tell of it."""
