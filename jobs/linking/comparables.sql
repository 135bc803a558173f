-- What records are compared by. Given: contacts; latin_names (name, latin) of other scripts; name_roots (given, roots).
CREATE OR REPLACE TABLE comparables AS
WITH spelled AS (
    SELECT contacts.*, coalesce(latin, strip_accents(lower(name))) AS spelled FROM contacts LEFT JOIN latin_names USING (name)
), turned AS (  -- "last, first" is "first last"
    SELECT *, regexp_replace(spelled, '^([^,]+),(.+)$', '\2 \1') AS in_order FROM spelled
), plain AS (
    SELECT *, regexp_replace(regexp_replace(in_order, '[''’.-]', '', 'g'), '[^a-z]+', ' ', 'g') AS plain FROM turned
), untitled AS (
    SELECT *, string_split(trim(regexp_replace(plain, '\b(mr|mrs|ms|miss|dr|prof|sir|jr|sr|ii|iii|herr|frau|fam|familie|mag|ing|dipl|mme|mlle|monsieur|madame|sra)\b ?', '', 'g')), ' ')
        AS words
    FROM plain
), named AS (
    SELECT *, nullif(words[1], '') AS given, CASE WHEN len(words) > 1 THEN words[-1] END AS family FROM untitled
)
SELECT
    n, given, family,
    given || ' ' || family AS full_name,
    CASE WHEN given IS NOT NULL THEN list_sort(list_distinct(list_prepend(given, coalesce(name_roots.roots, [])))) END
        AS roots,
    birth_date, email,
    nullif(regexp_replace(split_part(split_part(email, '@', 1), '+', 1), '[^a-z0-9]', '', 'g'), '') AS mailbox,
    -- of a mailbox with one's own name only the digits say more than the name does
    coalesce(contains(mailbox, family), FALSE) OR coalesce(contains(mailbox, given), FALSE) AS is_mailbox_named,
    nullif(regexp_replace(mailbox, '[^0-9]', '', 'g'), '') AS mailbox_digits,
    phone,
    nullif(trim(regexp_replace(strip_accents(lower(address)), '[^\w]+', ' ', 'g')), '') AS address,
    nullif(strip_accents(lower(trim(city))), '') AS city
FROM named LEFT JOIN name_roots USING (given);
