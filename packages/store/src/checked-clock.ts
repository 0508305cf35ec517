// A clock that was passed in, held to what a store can write down: its times are 48 bits of whole milliseconds.

/** Beyond the year 10,000. */
const endOfTimeMs = 2 ** 48;

/** The same clock in whole milliseconds. @throws RangeError, when it is asked, for what is no time since 1970. */
export function checkedClock(clock: () => number): () => number {
  return () => checkTime(clock());
}

/** What a clock says, in whole milliseconds. @throws RangeError for what is no time since 1970. */
export function checkTime(nowMs: number): number {
  if (nowMs >= 0 && nowMs < endOfTimeMs) return Math.floor(nowMs);
  throw new RangeError(
    `The clock that was passed in says ${nowMs}: expected milliseconds since 1970, from 0 to ${endOfTimeMs - 1}. Give one that says the time, as Date.now does.`,
  );
}
