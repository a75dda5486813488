/**
 * SQL conditions on the size of an entry `e`, told without building a text: what is read of an entry is bounded before it is read. The
 * table bounds what is written today; rows of before that may hold anything.
 */

/** Of each column but the payload. */
export const mostColumnBytes = 1_048_576;
/** Of a payload's text, in a download or as JSON: more than the table takes. */
export const mostTextBytes = 32 * 1024 * 1024;
/** Of a payload, unpacked: 16 MiB of small numbers are four times as much. */
const mostUnpackedBytes = 64 * 1024 * 1024;
/** Of a payload that is searched, which copies its text several times. */
const mostSearchedBytes = 8 * 1024 * 1024;
/** Of the other columns together. */
const mostSearchedColumnBytes = 65_536;

/** The payload can be had as text. */
export const isReadable = hasTextWithin(mostUnpackedBytes);

/** The text of the entry can be searched. Of one that cannot, nobody knows whether it holds a term. */
export const isSearchable = `case when coalesce(octet_length(e.actor_id), 0) + coalesce(octet_length(e.actor_name), 0)
    + octet_length(e.session_type) + coalesce(octet_length(e.project), 0) > ${mostSearchedColumnBytes} then false else ${hasTextWithin(mostSearchedBytes)} end`;

/** What is stored as it is, in up to 2,000 bytes, is 16 MiB of text in the worst case; nearly all entries are, and pay nothing. */
function hasTextWithin(bytes: number): string {
  return `case when pg_column_compression(e.metadata) is null and pg_column_size(e.metadata) <= 2000 then true
    else audit.has_text_within(e.metadata, ${bytes}) end`;
}
