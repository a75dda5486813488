/**
 * SQL conditions on the size of an entry `e`, checked without building a text: an entry is bounded before it is read. The table bounds
 * what is written today; older rows may hold anything.
 */

/** For each column except the payload. */
export const mostColumnBytes = 1_048_576;
/** For a payload's text, in a download or as JSON: more than the table accepts. */
export const mostTextBytes = 32 * 1024 * 1024;
/** For an unpacked payload: 16 MiB of small numbers take four times as much. */
const mostUnpackedBytes = 64 * 1024 * 1024;
/** For a payload that is searched: a search copies its text several times. */
const mostSearchedBytes = 8 * 1024 * 1024;
/** For the other columns together. */
const mostSearchedColumnBytes = 65_536;

/** The payload's text is about `bytes` (an int) long at most: decided without building it. */
export function isSmall(bytes: string): string {
  return `audit.has_text_within(e.metadata, ${bytes})`;
}

export const isReadable = hasTextWithin(mostUnpackedBytes);

/** The text of the entry can be searched. Whether any other entry holds a term is unknown. */
export const isSearchable = `case when coalesce(octet_length(e.actor_id), 0) + coalesce(octet_length(e.actor_name), 0)
    + octet_length(e.session_type) + coalesce(octet_length(e.project), 0) > ${mostSearchedColumnBytes} then false else ${hasTextWithin(mostSearchedBytes)} end`;

/** Up to 2,000 uncompressed bytes are at most 16 MiB of text. Nearly all entries are that small and pay nothing for the check. */
function hasTextWithin(bytes: number): string {
  return `case when pg_column_compression(e.metadata) is null and pg_column_size(e.metadata) <= 2000 then true
    else audit.has_text_within(e.metadata, ${bytes}) end`;
}
