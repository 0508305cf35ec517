"""What a Python application does with S3, by boto3 with its default settings. Arguments: endpoint, scratch folder."""

import hashlib
import os
import sys
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, folder = sys.argv[1:]
# The one setting a test on an address without a domain needs is the path style, which boto3 chooses itself.
s3 = boto3.client("s3", endpoint_url=endpoint)
bucket = "boto"


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"expected {code}")


def fetch(url, method="GET", data=None, headers={}):
    with urllib.request.urlopen(urllib.request.Request(url, method=method, data=data, headers=headers)) as response:
        return response.read()


s3.create_bucket(Bucket=bucket)
s3.head_bucket(Bucket=bucket)
assert [found["Name"] for found in s3.list_buckets()["Buckets"]] == [bucket]

# Objects
put = s3.put_object(Bucket=bucket, Key="a/ü b+c", Body=b"hello", Metadata={"m": "1"}, ContentType="text/plain")
assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
got = s3.get_object(Bucket=bucket, Key="a/ü b+c")
assert got["Body"].read() == b"hello"
assert got["Metadata"] == {"m": "1"} and got["ContentType"] == "text/plain"
assert s3.get_object(Bucket=bucket, Key="a/ü b+c", Range="bytes=1-2")["Body"].read() == b"el"
s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a/ü b+c"})
assert s3.head_object(Bucket=bucket, Key="copy")["ContentLength"] == 5
refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="absent")
refused("404", s3.head_object, Bucket=bucket, Key="absent")
refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="copy", Body=b"", IfNoneMatch="*")
refused("412", s3.head_object, Bucket=bucket, Key="copy", IfMatch='"x"')

# Transfers in parts, up and down and between keys
path = os.path.join(folder, "large.bin")
content = os.urandom(1024) * 17_000
with open(path, "wb") as file:
    file.write(content)
parts = TransferConfig(multipart_threshold=5 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024)
s3.upload_file(path, bucket, "large", ExtraArgs={"Metadata": {"n": "2"}}, Config=parts)
head = s3.head_object(Bucket=bucket, Key="large")
assert head["ETag"].endswith('-4"') and head["Metadata"] == {"n": "2"}
s3.download_file(bucket, "large", path + ".back", Config=parts)
with open(path + ".back", "rb") as file:
    assert hashlib.sha256(file.read()).digest() == hashlib.sha256(content).digest()
s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "large copy", Config=parts)
assert s3.head_object(Bucket=bucket, Key="large copy")["ContentLength"] == len(content)

# Listings
keys = ["a/ü b+c", "copy", "large", "large copy"]
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
assert [item["Key"] for page in pages for item in page["Contents"]] == keys
pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2})
assert [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])] == ["a/"]
versions = s3.list_object_versions(Bucket=bucket)["Versions"]
assert [(item["Key"], item["VersionId"], item["IsLatest"]) for item in versions] == [(key, "null", True) for key in keys]

# Presigned URLs and forms: boto3's default is Signature Version 2 here, which old and new clients alike are given
for client in [s3, boto3.client("s3", endpoint_url=endpoint, config=Config(signature_version="s3v4"))]:
    target = {"Bucket": bucket, "Key": "signed ü"}
    typed = {**target, "ContentType": "text/plain"}
    fetch(client.generate_presigned_url("put_object", Params=typed), "PUT", b"by url", {"Content-Type": "text/plain"})
    overridden = {**target, "ResponseContentType": "a/b", "ResponseContentDisposition": 'attachment; filename="x y"'}
    assert fetch(client.generate_presigned_url("get_object", Params=overridden)) == b"by url"
    fetch(client.generate_presigned_url("delete_object", Params=target), "DELETE")
    url = client.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
    for altered in [url.replace("signed", "large"), url + "&versionId=null"]:
        try:
            fetch(altered)
            raise AssertionError("an altered URL was served")
        except urllib.error.HTTPError as error:
            assert error.code == 403
    form = client.generate_presigned_post(bucket, "form", Conditions=[["content-length-range", 1, 10]])
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in form["fields"].items()
    )
    body += '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nposted\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with urllib.request.urlopen(urllib.request.Request(form["url"], method="POST", data=body.encode(), headers=headers)) as answer:
        assert answer.status == 204
    assert s3.get_object(Bucket=bucket, Key="form")["Body"].read() == b"posted"

# CORS
rules = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=rules)
assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules["CORSRules"]
s3.delete_bucket_cors(Bucket=bucket)
refused("NoSuchCORSConfiguration", s3.get_bucket_cors, Bucket=bucket)

# The end, as the resource interface and many clean-up scripts do it
resource = boto3.resource("s3", endpoint_url=endpoint).Bucket(bucket)
refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
resource.object_versions.delete()
assert list(resource.objects.all()) == []
resource.delete()
refused("NoSuchBucket", s3.list_objects_v2, Bucket=bucket)
print("all well")
