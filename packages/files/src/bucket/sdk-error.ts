// What the AWS SDK throws, reduced to the S3 error code and the status that callers decide by.

/** The error's S3 code; the bare status, e.g. `404`, where the answer had no body to hold a code; else empty. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // `Unknown` and `UnknownError` are the SDK's names for an answer without a body.
  if (error.name !== 'Unknown' && error.name !== 'UnknownError') return error.name;
  const status = statusOf(error);
  return status === undefined ? error.name : String(status);
}

/** Whether the request was refused because the clocks differ, and the SDK has learned by how much: nothing was done yet. */
export function isClockSkew(error: unknown): boolean {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  const status = statusOf(error) ?? 0;
  return (
    (status === 400 || status === 403) &&
    typeof metadata === 'object' &&
    metadata !== null &&
    'clockSkewCorrected' in metadata &&
    metadata.clockSkewCorrected === true
  );
}

/** The status of the answer; `undefined` when there was none. */
export function statusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata && metadata.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}
