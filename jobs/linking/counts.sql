-- What a night's linking came to, in one row. Given: ids (n, was, now).
SELECT
    (SELECT count(*) FROM records) AS records,
    (SELECT count(*) FROM records WHERE content IS DISTINCT FROM known_content) AS changed,
    (SELECT count(DISTINCT now) FROM ids) AS people,
    (SELECT count(*) FROM (SELECT now FROM ids EXCEPT SELECT was FROM ids)) AS new_people,
    (SELECT count(*) FROM links) AS links,
    (SELECT count(*) FROM links WHERE linked_by = 'probabilistic') AS links_by_model,
    (SELECT count(*) FROM links JOIN groups AS a ON a.n = l JOIN groups AS b ON b.n = r WHERE a.grp <> b.grp) AS links_cut,
    (SELECT count(*) FROM judged WHERE gone IS NOT NULL) AS links_gone,
    (SELECT count(*) FROM pairs) AS pairs_compared,
    (SELECT count(*) FROM shared WHERE is_apart) AS pairs_contradicted;
