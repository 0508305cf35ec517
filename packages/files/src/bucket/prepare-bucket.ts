// What the bucket needs before a page can send bytes to it: to exist, and a CORS rule that names the page's origin and
// exposes ETag. Rules of others are kept. Spec: CreateBucket, GetBucketCors, PutBucketCors.

import type { CORSRule, S3Client } from '@aws-sdk/client-s3';
import { errorFields, type FilesLog } from '../log.ts';
import type { S3Settings } from './s3-settings.ts';
import { errorCode } from './sdk-error.ts';

interface PrepareBucketOptions {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
  readonly settings: S3Settings;
  readonly origins: readonly string[];
  readonly log: FilesLog;
}

/** By this id the service finds its own rule again. */
const ruleId = 'stowage-files';

/**
 * Makes the bucket when it is missing and `createBucket` is not false. An endpoint that does not let CORS be set is logged
 * and let be: programs do not need it. Throws what the SDK throws when the bucket cannot be reached or made.
 */
export async function prepareBucket(options: PrepareBucketOptions): Promise<void> {
  await ensureBucket(options);
  if (options.origins.length === 0) return;
  try {
    await ensureCors(options);
  } catch (error) {
    options.log.warn('The bucket’s CORS rules could not be set; pages in a browser may be unable to upload.', {
      bucket: options.settings.bucket,
      ...errorFields(error),
    });
  }
}

async function ensureBucket({ sdk, client, settings, log }: PrepareBucketOptions): Promise<void> {
  try {
    await client.send(new sdk.HeadBucketCommand({ Bucket: settings.bucket }));
    return;
  } catch (error) {
    if (!['NotFound', 'NoSuchBucket', '404'].includes(errorCode(error)) || settings.createBucket === false) throw error;
  }
  try {
    await client.send(
      new sdk.CreateBucketCommand({
        Bucket: settings.bucket,
        // us-east-1 is the one region that must not be named.
        ...(settings.region === 'us-east-1'
          ? {}
          : {
              // The SDK's list of regions is a snapshot; the endpoint judges the name.
              CreateBucketConfiguration: {
                LocationConstraint: settings.region as NonNullable<
                  ConstructorParameters<typeof sdk.CreateBucketCommand>[0]['CreateBucketConfiguration']
                >['LocationConstraint'],
              },
            }),
      }),
    );
    log.info('The bucket was made.', { bucket: settings.bucket });
  } catch (error) {
    // Another process was faster.
    if (errorCode(error) !== 'BucketAlreadyOwnedByYou') throw error;
  }
}

async function ensureCors({ sdk, client, settings, origins }: PrepareBucketOptions): Promise<void> {
  const rules = await readRules({ sdk, client, settings });
  const ours: CORSRule = {
    ID: ruleId,
    AllowedOrigins: [...new Set(origins)].sort(),
    AllowedMethods: ['GET', 'HEAD', 'PUT', 'POST'],
    AllowedHeaders: ['*'],
    ExposeHeaders: ['ETag'],
    MaxAgeSeconds: 3600,
  };
  const known = rules.find((rule) => rule.ID === ruleId);
  if (known !== undefined && sameRule(known, ours)) return;
  const others = rules.filter((rule) => rule.ID !== ruleId);
  await client.send(
    new sdk.PutBucketCorsCommand({
      Bucket: settings.bucket,
      CORSConfiguration: { CORSRules: [ours, ...others] },
      // The operation demands a digest of its body, whatever the client's default.
      ChecksumAlgorithm: 'CRC32',
    }),
  );
}

async function readRules({
  sdk,
  client,
  settings,
}: Pick<PrepareBucketOptions, 'sdk' | 'client' | 'settings'>): Promise<readonly CORSRule[]> {
  try {
    const answer = await client.send(new sdk.GetBucketCorsCommand({ Bucket: settings.bucket }));
    return answer.CORSRules ?? [];
  } catch (error) {
    if (errorCode(error) === 'NoSuchCORSConfiguration') return [];
    throw error;
  }
}

function sameRule(one: CORSRule, other: CORSRule): boolean {
  const text = (rule: CORSRule): string =>
    JSON.stringify([
      [...(rule.AllowedOrigins ?? [])].sort(),
      [...(rule.AllowedMethods ?? [])].sort(),
      [...(rule.AllowedHeaders ?? [])].sort(),
      [...(rule.ExposeHeaders ?? [])].sort(),
      rule.MaxAgeSeconds,
    ]);
  return text(one) === text(other);
}
