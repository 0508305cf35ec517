// Claim: one core presigns at least 20,000 URLs a second, where the AWS SDK's presigner makes some hundreds; and verifying
// a request costs the server well under 30 µs. Run: node bench/presign.ts
// The two presign the same GETs with the same credentials, in turns, so that a busy machine slows both alike.

import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import {
  parseAuthentication,
  presignUrl,
  type SignedRequest,
  SigningKeys,
  signRequest,
  verifySignature,
} from '@stowage/s3';

const rounds = 5;
const roundMs = 500;

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const region = 'eu-west-1';
const endpoint = 'http://127.0.0.1:9000';
const signingKeys = new SigningKeys();
const sdk = new S3Client({ region, endpoint, forcePathStyle: true, credentials });

function keyOf(index: number): string {
  return `ready/tenant/user/photos/${index.toString(36).padStart(26, '0')}.jpg`;
}

function presignOurs(index: number): string {
  return presignUrl({
    method: 'GET',
    endpoint,
    path: `/bucket/${keyOf(index)}`,
    query: [['response-content-disposition', 'attachment; filename="a photo.jpg"']],
    credentials,
    region,
    expiresSeconds: 300,
    nowMs: Date.now(),
    signingKeys,
  });
}

function presignTheirs(index: number): Promise<string> {
  const command = new GetObjectCommand({
    Bucket: 'bucket',
    Key: keyOf(index),
    ResponseContentDisposition: 'attachment; filename="a photo.jpg"',
  });
  return getSignedUrl(sdk, command, { expiresIn: 300 });
}

/** PUTs with the headers that the SDK sends by default. */
const requests: readonly SignedRequest[] = Array.from({ length: 1000 }, (_, index) => {
  const path = `/bucket/${keyOf(index)}`;
  const query = [['x-id', 'PutObject']] as const;
  const { headers } = signRequest({
    method: 'PUT',
    endpoint,
    path,
    query,
    headers: {
      'content-type': 'image/jpeg',
      'content-length': '4096',
      'x-amz-checksum-crc32': 'AAAAAA==',
      'x-amz-sdk-checksum-algorithm': 'CRC32',
      'x-amz-user-agent': 'aws-sdk-js/3',
      'amz-sdk-invocation-id': '00000000-0000-0000-0000-000000000000',
      'amz-sdk-request': 'attempt=1; max=3',
    },
    credentials,
    region,
    nowMs: Date.now(),
    signingKeys,
  });
  return { method: 'PUT', rawPath: path, query, headers };
});

function verifyOurs(index: number): void {
  const request = requests[index % requests.length];
  if (request === undefined) throw new Error('there is no request to verify');
  const authentication = parseAuthentication(request);
  if (authentication.mechanism === 'anonymous') throw new Error('the request is anonymous');
  verifySignature(request, authentication, {
    secretAccessKey: credentials.secretAccessKey,
    nowMs: Date.now(),
    region,
    signingKeys,
  });
}

/** How many times a second `work` runs, one after the other. */
async function rate(work: (index: number) => unknown): Promise<number> {
  const start = performance.now();
  let count = 0;
  let elapsedMs = 0;
  while (elapsedMs < roundMs) {
    const result = work(count++);
    if (result instanceof Promise) await result;
    elapsedMs = performance.now() - start;
  }
  return (count * 1000) / elapsedMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const rates = { ours: [] as number[], theirs: [] as number[], verify: [] as number[] };
// The first round warms up and is not counted.
for (let round = 0; round <= rounds; round++) {
  const ours = await rate(presignOurs);
  const theirs = await rate(presignTheirs);
  const verify = await rate(verifyOurs);
  if (round === 0) continue;
  rates.ours.push(ours);
  rates.theirs.push(theirs);
  rates.verify.push(verify);
}

const ours = median(rates.ours);
const theirs = median(rates.theirs);
const verified = median(rates.verify);
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
console.log(`median of ${rounds} rounds of ${roundMs} ms, one core, Node ${process.versions.node}`);
console.log(`presign GET, @stowage/s3                    ${number.format(ours).padStart(8)}/s`);
console.log(`presign GET, @aws-sdk/s3-request-presigner  ${number.format(theirs).padStart(8)}/s`);
console.log(`ratio                                       ${(ours / theirs).toFixed(1).padStart(8)}`);
console.log(`verify a header-signed PUT, @stowage/s3     ${number.format(verified).padStart(8)}/s`);
console.log(`that is                                     ${(1_000_000 / verified).toFixed(1).padStart(8)} µs each`);
