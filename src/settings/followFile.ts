/**
 * Follows a file whose value may be replaced while the process runs, as Kubernetes does with a mounted Secret.
 *
 * The file is read again at most every few seconds, and only when somebody asks. A file that is away, empty or not valid for a
 * moment changes nothing: the last good value stays.
 */

const pauseMs = 5_000;

/** @param read returns null for a file that cannot be used; never throws. */
export function followFile(
  first: string,
  read: () => string | null,
  nowMs: () => number = () => performance.now(),
): () => string {
  let value = first;
  let readAtMs = nowMs();
  return () => {
    if (nowMs() - readAtMs >= pauseMs) {
      readAtMs = nowMs();
      value = read() ?? value;
    }
    return value;
  };
}
