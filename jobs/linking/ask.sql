-- The model's links between records that nothing else joins. Families share what one person's records share, which no
-- model learns that takes comparisons for independent: other given names, or another birth, are other people whatever it
-- says. Given: scored; variables probability, day, model.
INSERT INTO links
SELECT l, r, 'probabilistic', NULL, weight, score, evidence, getvariable('day'), getvariable('model')
FROM scored JOIN known AS a ON a.n = l JOIN known AS b ON b.n = r
WHERE score >= getvariable('probability') AND may_be_guessed(a.who, b.who);
