// What an endpoint tells of a bucket, in the shapes in which it comes: Amazon S3's records (plain, or in SNS's envelope, or as an
// event of EventBridge), MinIO's and Ceph's, which follow the first. Only the key is read: everything else of an event is somebody's word.
// Spec: "Event message structure" of the S3 user guide; "Bucket Notifications" of Ceph's documentation.

/** Something happened to a key, says somebody. */
export interface StorageHint {
  readonly bucket: string;
  /** As the bucket has it, not as it was encoded for the way. */
  readonly key: string;
}

export interface StorageEvents {
  readonly hints: readonly StorageHint[];
  /** `test`: S3 tries the way out. `subscription`: SNS wants its subscription confirmed. */
  readonly control?: 'test' | 'subscription';
  /** What a topic of Ceph was given to say with each event. */
  readonly opaqueData: readonly string[];
}

/** Records of one message; S3 sends one at a time, and no one sends more than a few. */
const maxRecords = 1_000;
/** An envelope in an envelope: SNS before SQS. */
const maxEnvelopes = 3;

/** Throws a `SyntaxError` for what is none of these. */
export function readStorageEvents(text: string): StorageEvents {
  let value: unknown = JSON.parse(text);
  for (let depth = 0; depth < maxEnvelopes; depth++) {
    const message = fieldOf(value, 'Message');
    if (typeof message !== 'string') break;
    if (fieldOf(value, 'Type') === 'SubscriptionConfirmation') {
      return { hints: [], control: 'subscription', opaqueData: [] };
    }
    value = JSON.parse(message);
  }
  if (fieldOf(value, 'Event') === 's3:TestEvent') return { hints: [], control: 'test', opaqueData: [] };
  const detail = fieldOf(value, 'detail');
  if (fieldOf(value, 'source') === 'aws.s3' && detail !== undefined) {
    return { hints: [hintOf(detail, (key) => key)], opaqueData: [] };
  }
  const records = fieldOf(value, 'Records');
  if (!Array.isArray(records)) throw new SyntaxError('The message holds no Records.');
  if (records.length > maxRecords) {
    throw new SyntaxError(`The message holds ${records.length} records; at most ${maxRecords} are taken.`);
  }
  return {
    hints: records.map((record) => hintOf(fieldOf(record, 's3'), decodeKey)),
    opaqueData: records.map((record) => String(fieldOf(record, 'opaqueData') ?? '')),
  };
}

function hintOf(value: unknown, decode: (key: string) => string): StorageHint {
  const bucket = fieldOf(fieldOf(value, 'bucket'), 'name');
  const key = fieldOf(fieldOf(value, 'object'), 'key');
  if (typeof bucket !== 'string' || typeof key !== 'string') {
    throw new SyntaxError('A record names no bucket and key.');
  }
  return { bucket, key: decode(key) };
}

/** Keys come as in a form: `+` for a space, `%2F` for a slash. What cannot be decoded was not encoded. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name] // it has that field
    : undefined;
}
