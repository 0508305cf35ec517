// Every error this system answers with, as one table: code, HTTP status, message.
// Source: "Error responses" of the Amazon S3 API reference. Codes that are ours and not AWS's say so in a comment.
// Rendering an error to XML is documents/error.ts; choosing one is the caller's affair. 301, 304 and 307 are in the
// table because S3 answers them in the same way, though a 304 carries no body.

/** What a row of the error table holds. */
export interface S3ErrorDescription {
  /** The HTTP status it is answered with. */
  readonly status: number;
  /** The message shown when the thrower gives none. */
  readonly message: string;
}

export const s3Errors = {
  AccessControlListNotSupported: { status: 400, message: 'The bucket does not allow ACLs.' },
  AccessDenied: { status: 403, message: 'Access Denied' },
  AccessForbidden: { status: 403, message: 'CORSResponse: This CORS request is not allowed.' },
  AccountProblem: { status: 403, message: 'There is a problem with your account that prevents the operation.' },
  AllAccessDisabled: { status: 403, message: 'All access to this resource has been disabled.' },
  AmbiguousGrantByEmailAddress: {
    status: 400,
    message: 'The email address you provided is associated with more than one account.',
  },
  AuthorizationHeaderMalformed: { status: 400, message: 'The authorization header you provided is not valid.' },
  AuthorizationQueryParametersError: {
    status: 400,
    message: 'The authorization query parameters that you provided are not valid.',
  },
  BadDigest: {
    status: 400,
    message: 'The Content-MD5 or checksum value that you specified did not match what we received.',
  },
  BadRequest: { status: 400, message: 'The request is not valid.' },
  BucketAlreadyExists: {
    status: 409,
    message:
      'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
  },
  BucketAlreadyOwnedByYou: {
    status: 409,
    message: 'Your previous request to create the named bucket succeeded and you already own it.',
  },
  BucketNotEmpty: { status: 409, message: 'The bucket you tried to delete is not empty.' },
  ClientTokenConflict: {
    status: 409,
    message: 'The client token is already used by a request with other parameters.',
  },
  ConditionalRequestConflict: {
    status: 409,
    message:
      'A conflicting operation occurred while this conditional request was running. Fetch the ETag and try again.',
  },
  CredentialsNotSupported: { status: 400, message: 'This request does not support credentials.' },
  CrossLocationLoggingProhibited: { status: 403, message: 'Cross-location logging is not allowed.' },
  EntityTooLarge: { status: 400, message: 'Your proposed upload exceeds the maximum allowed object size.' },
  EntityTooSmall: { status: 400, message: 'Your proposed upload is smaller than the minimum allowed object size.' },
  ExpiredToken: { status: 400, message: 'The provided token has expired.' },
  IllegalLocationConstraintException: {
    status: 400,
    message: 'The location constraint is not valid for the region this request was sent to.',
  },
  IllegalVersioningConfigurationException: {
    status: 400,
    message: 'The versioning configuration specified in the request is not valid.',
  },
  IncompleteBody: {
    status: 400,
    message: 'You did not provide the number of bytes specified by the Content-Length HTTP header.',
  },
  IncorrectEndpoint: { status: 400, message: 'The specified bucket exists in another region.' },
  IncorrectNumberOfFilesInPostRequest: { status: 400, message: 'POST requires exactly one file upload per request.' },
  InlineDataTooLarge: { status: 400, message: 'The inline data exceeds the maximum allowed size.' },
  // Ours: AWS never fills up. The status is that of RFC 4918, section 11.5.
  InsufficientStorage: {
    status: 507,
    message: 'The disk is full. Nothing was stored; delete objects or add space, then try again.',
  },
  InternalError: { status: 500, message: 'We encountered an internal error. Please try again.' },
  InvalidAccessKeyId: { status: 403, message: 'The access key ID you provided does not exist in our records.' },
  InvalidAccessPoint: { status: 400, message: 'The specified access point name or account is not valid.' },
  InvalidAddressingHeader: { status: 400, message: 'You must specify the anonymous role.' },
  InvalidArgument: { status: 400, message: 'Invalid Argument' },
  InvalidAttributeName: { status: 400, message: 'Invalid attribute name specified.' },
  InvalidBucketAclWithObjectOwnership: {
    status: 400,
    message: 'The bucket cannot have ACLs set with the ownership setting BucketOwnerEnforced.',
  },
  InvalidBucketName: { status: 400, message: 'The specified bucket is not valid.' },
  InvalidBucketState: { status: 409, message: 'The request is not valid for the current state of the bucket.' },
  InvalidDigest: { status: 400, message: 'The Content-MD5 or checksum value that you specified is not valid.' },
  InvalidEncryptionAlgorithmError: {
    status: 400,
    message:
      'The encryption request that you specified is not valid. The valid values are AES256, aws:kms and aws:kms:dsse.',
  },
  InvalidHostHeader: {
    status: 400,
    message: 'The host headers provided in the request used the incorrect style addressing.',
  },
  InvalidHttpMethod: { status: 400, message: 'The request is made using an unexpected HTTP method.' },
  InvalidLocationConstraint: { status: 400, message: 'The specified location (Region) constraint is not valid.' },
  InvalidObjectState: { status: 403, message: "The operation is not valid for the object's storage class." },
  InvalidPart: {
    status: 400,
    message:
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  },
  InvalidPartNumber: { status: 416, message: 'The requested partnumber is not satisfiable' },
  InvalidPartOrder: {
    status: 400,
    message: 'The list of parts was not in ascending order. Parts must be ordered by part number.',
  },
  InvalidPayer: { status: 403, message: 'All access to this object has been disabled.' },
  InvalidPolicyDocument: {
    status: 400,
    message: 'The content of the form does not meet the conditions specified in the policy document.',
  },
  InvalidRange: { status: 416, message: 'The requested range is not satisfiable' },
  InvalidRegion: { status: 403, message: 'The region of the request is not valid.' },
  InvalidRequest: { status: 400, message: 'Invalid Request' },
  InvalidSecurity: { status: 403, message: 'The provided security credentials are not valid.' },
  InvalidSessionException: { status: 400, message: 'The session no longer exists or has expired.' },
  InvalidSignature: { status: 400, message: 'The request signature does not conform to the standards.' },
  InvalidSOAPRequest: { status: 400, message: 'The SOAP request body is not valid.' },
  InvalidStorageClass: { status: 400, message: 'The storage class you specified is not valid' },
  InvalidTag: { status: 400, message: 'The tag provided was not a valid tag.' },
  InvalidTargetBucketForLogging: {
    status: 400,
    message:
      'The target bucket for logging does not exist, is not owned by you, or does not have the appropriate grants.',
  },
  InvalidToken: { status: 400, message: 'The provided token is malformed or otherwise not valid.' },
  InvalidURI: { status: 400, message: "Couldn't parse the specified URI." },
  KeyTooLongError: { status: 400, message: 'Your key is too long' },
  'KMS.DisabledException': {
    status: 400,
    message: 'The request was rejected because the specified KMS key is not enabled.',
  },
  'KMS.InvalidKeyUsageException': {
    status: 400,
    message: 'The request was rejected because the KMS key does not allow this use.',
  },
  'KMS.KMSInvalidStateException': {
    status: 400,
    message: 'The request was rejected because the state of the specified KMS key is not valid for it.',
  },
  'KMS.NotFoundException': {
    status: 400,
    message: 'The request was rejected because the specified KMS key could not be found.',
  },
  MalformedACLError: {
    status: 400,
    message: 'The XML you provided was not well-formed or did not validate against our published schema',
  },
  MalformedPOSTRequest: {
    status: 400,
    message: 'The body of your POST request is not well-formed multipart/form-data.',
  },
  MalformedPolicy: { status: 400, message: 'This policy contains invalid Json' },
  MalformedTrailerError: {
    status: 400,
    message: 'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  },
  MalformedXML: {
    status: 400,
    message: 'The XML you provided was not well-formed or did not validate against our published schema',
  },
  MaxMessageLengthExceeded: { status: 400, message: 'Your request was too big.' },
  MaxPostPreDataLengthExceeded: {
    status: 400,
    message: 'Your POST request fields preceding the upload file were too large.',
  },
  MetadataTooLarge: { status: 400, message: 'Your metadata headers exceed the maximum allowed metadata size' },
  MethodNotAllowed: { status: 405, message: 'The specified method is not allowed against this resource.' },
  MissingAttachment: { status: 400, message: 'A SOAP attachment was expected, but none was found.' },
  MissingAuthenticationToken: { status: 403, message: 'The request was not signed.' },
  MissingContentLength: { status: 411, message: 'You must provide the Content-Length HTTP header.' },
  MissingRequestBodyError: { status: 400, message: 'Request Body is empty' },
  MissingSecurityElement: { status: 400, message: 'The request is missing a security element.' },
  MissingSecurityHeader: { status: 400, message: 'Your request is missing a required header.' },
  NoLoggingStatusForKey: { status: 400, message: 'There is no such thing as a logging status subresource for a key.' },
  NoSuchAccessPoint: { status: 404, message: 'The specified access point does not exist.' },
  NoSuchBucket: { status: 404, message: 'The specified bucket does not exist' },
  NoSuchBucketPolicy: { status: 404, message: 'The bucket policy does not exist' },
  NoSuchConfiguration: { status: 404, message: 'The specified configuration does not exist.' },
  NoSuchCORSConfiguration: { status: 404, message: 'The CORS configuration does not exist' },
  NoSuchKey: { status: 404, message: 'The specified key does not exist.' },
  NoSuchLifecycleConfiguration: { status: 404, message: 'The lifecycle configuration does not exist' },
  NoSuchObjectLockConfiguration: {
    status: 404,
    message: 'The specified object does not have a ObjectLock configuration',
  },
  NoSuchPublicAccessBlockConfiguration: {
    status: 404,
    message: 'The public access block configuration was not found',
  },
  NoSuchTagSet: { status: 404, message: 'The TagSet does not exist' },
  NoSuchUpload: {
    status: 404,
    message:
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  },
  NoSuchVersion: { status: 404, message: 'The specified version does not exist.' },
  NoSuchWebsiteConfiguration: { status: 404, message: 'The specified bucket does not have a website configuration' },
  NotFound: { status: 404, message: 'Not Found' },
  NotImplemented: {
    status: 501,
    message: 'A header or parameter you provided implies functionality that is not implemented.',
  },
  NotModified: { status: 304, message: 'Not Modified' },
  NotSignedUp: { status: 403, message: 'Your account is not signed up for the service.' },
  ObjectAlreadyInActiveTierError: {
    status: 403,
    message: 'This object is already available for use; restoring it is not needed.',
  },
  ObjectLockConfigurationNotFoundError: {
    status: 404,
    message: 'Object Lock configuration does not exist for this bucket',
  },
  ObjectNotInActiveTierError: {
    status: 403,
    message: 'The source object of the COPY operation is not in the active tier.',
  },
  OperationAborted: {
    status: 409,
    message: 'A conflicting conditional operation is currently in progress against this resource. Please try again.',
  },
  OwnershipControlsNotFoundError: { status: 404, message: 'The bucket ownership controls were not found' },
  PermanentRedirect: {
    status: 301,
    message: 'The bucket you are attempting to access must be addressed using the specified endpoint.',
  },
  PreconditionFailed: {
    status: 412,
    message: 'At least one of the pre-conditions you specified did not hold',
  },
  Redirect: { status: 307, message: 'Temporary redirect.' },
  ReplicationConfigurationNotFoundError: {
    status: 404,
    message: 'The replication configuration was not found',
  },
  RequestHeaderSectionTooLarge: {
    status: 400,
    message: 'The request header and query parameters used to make the request exceed the maximum allowed size.',
  },
  RequestIsNotMultiPartContent: {
    status: 412,
    message: 'Bucket POST must be of the enclosure-type multipart/form-data.',
  },
  RequestTimeout: {
    status: 400,
    message: 'Your socket connection to the server was not read from or written to within the timeout period.',
  },
  RequestTimeTooSkewed: {
    status: 403,
    message: 'The difference between the request time and the current time is too large.',
  },
  RestoreAlreadyInProgress: { status: 409, message: 'Object restore is already in progress' },
  ServerSideEncryptionConfigurationNotFoundError: {
    status: 404,
    message: 'The server side encryption configuration was not found',
  },
  ServiceUnavailable: { status: 503, message: 'Service is unable to handle request.' },
  SignatureDoesNotMatch: {
    status: 403,
    message:
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  },
  SlowDown: { status: 503, message: 'Please reduce your request rate.' },
  TemporaryRedirect: {
    status: 307,
    message: 'You are being redirected to the bucket while the DNS server is being updated.',
  },
  TokenRefreshRequired: { status: 400, message: 'The provided token must be refreshed.' },
  TooManyAccessPoints: { status: 400, message: 'You have attempted to create more access points than are allowed.' },
  TooManyBuckets: { status: 400, message: 'You have attempted to create more buckets than allowed' },
  UnexpectedContent: { status: 400, message: 'This request does not support content' },
  UnresolvableGrantByEmailAddress: {
    status: 400,
    message: 'The email address you provided does not match any account on record.',
  },
  UnsupportedArgument: { status: 400, message: 'The request contained an unsupported argument.' },
  UserKeyMustBeSpecified: {
    status: 400,
    message:
      'The bucket POST must contain the specified field name. If it is specified, check the order of the fields.',
  },
  VersionIdNotFound: { status: 404, message: 'The specified version does not exist.' },
  XAmzContentChecksumMismatch: {
    status: 400,
    message: 'The provided x-amz-checksum header does not match what was computed.',
  },
  XAmzContentSHA256Mismatch: {
    status: 400,
    message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
  },
} as const satisfies Readonly<Record<string, S3ErrorDescription>>;

/** The code of one error of S3. */
export type S3ErrorCode = keyof typeof s3Errors;

/** What may go with an error besides its code and message. */
export interface S3ErrorOptions {
  /** More elements of the error document, by name: `Key`, `BucketName`, `ActualObjectSize`… Shown to the caller. */
  readonly details?: Readonly<Record<string, string>>;
  /** What led to it. For the log; never shown to the caller. */
  readonly cause?: unknown;
}

/** An error that is answered to the caller as it stands. Anything else that is thrown becomes `InternalError`. */
export class S3Error extends Error {
  override readonly name: string = 'S3Error';
  readonly code: S3ErrorCode;
  /** The HTTP status of the code. */
  readonly status: number;
  readonly details: Readonly<Record<string, string>> | undefined;

  /** `message` defaults to the table's; say there what came, what was expected and what to do. */
  constructor(code: S3ErrorCode, message?: string, options: S3ErrorOptions = {}) {
    super(message ?? s3Errors[code].message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.status = s3Errors[code].status;
    this.details = options.details;
  }
}

/** Whether `value` is an `S3Error`, by its code: it may come from another copy of this package. */
export function isS3Error(value: unknown): value is S3Error {
  return (
    value instanceof Error &&
    value.name === 'S3Error' &&
    'code' in value &&
    typeof value.code === 'string' &&
    Object.hasOwn(s3Errors, value.code)
  );
}
