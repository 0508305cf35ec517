// Where the bytes live: one bucket at one S3 endpoint, and the keys to it.

export interface S3Settings {
  /** `https://host[:port]`, as the service reaches it. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Read anew for each request and each address that is signed: an object may change its fields when keys end. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
    readonly expiration?: Date;
  };
  /** Whether the bucket stands in the path (`host/bucket/key`) and not in the host name. */
  readonly forcePathStyle: boolean;
  /** The endpoint as clients reach it, where that differs. Signed URLs name this one. */
  readonly publicEndpoint?: string;
  /** Whether a bucket that is missing is made at start. Default true. */
  readonly createBucket?: boolean;
}

/** Scheme, host and port that clients send bytes to: what a page's `connect-src` must allow. */
export function publicOrigin(settings: S3Settings): string {
  return new URL(publicBucketUrl(settings)).origin;
}

/** The bucket's own URL as the service reaches it, without a slash at the end. */
export function bucketUrl(settings: S3Settings): string {
  return urlAt(settings.endpoint, settings);
}

/** The bucket's own URL as signed URLs name it, without a slash at the end. */
export function publicBucketUrl(settings: S3Settings): string {
  return urlAt(settings.publicEndpoint ?? settings.endpoint, settings);
}

function urlAt(endpoint: string, { bucket, forcePathStyle }: S3Settings): string {
  const url = new URL(endpoint);
  if (!forcePathStyle) url.hostname = `${bucket}.${url.hostname}`;
  const base = url.href.replace(/\/+$/, '');
  return forcePathStyle ? `${base}/${bucket}` : base;
}
