// What the AWS SDK throws, reduced to the S3 error code that callers decide by.

/** The error's S3 code; the bare status, e.g. `404`, where the answer had no body to hold a code; else empty. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // `Unknown` and `UnknownError` are the SDK's names for an answer without a body.
  if (error.name !== 'Unknown' && error.name !== 'UnknownError') return error.name;
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata && metadata.httpStatusCode;
  return typeof status === 'number' ? String(status) : error.name;
}
