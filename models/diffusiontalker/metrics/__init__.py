"""What is measured on a face that speaks: phonetic lip score, motion, mouth sanity and agreement with captures."""
