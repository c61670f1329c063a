"""The paper's tables on the corpus at hand: what is trained for them, how it is measured, how it is shown."""
