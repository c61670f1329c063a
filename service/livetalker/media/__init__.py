"""Files in and out: sound recordings to read, face takes to write, and the picture of a take."""
