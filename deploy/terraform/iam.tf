# A process may do what its roles do to the installation's own streams, tables and objects, and nothing else. None can delete
# an archive, a stream or the key-value table.
locals {
  table_arns = "${local.arn}:dynamodb:${local.region}:${local.account}:table/${var.prefix}"
  bucket_arn = aws_s3_bucket.this.arn

  weeks = ["${local.table_arns}-????-W??", "${local.table_arns}-late", "${local.table_arns}-nearline"]

  policies = {
    ingest  = data.aws_iam_policy_document.ingest.json
    stage   = data.aws_iam_policy_document.stage.json
    compact = data.aws_iam_policy_document.compact.json
    gateway = data.aws_iam_policy_document.gateway.json
  }
  granted = merge([for name, service in local.services : { for role in service.roles : "${name} ${role}" => { service = name, role = role } }]...)
}

data "aws_iam_policy_document" "tasks_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "task" {
  for_each = local.services

  name               = "${var.prefix}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
  tags               = local.tags
}

resource "aws_iam_role_policy" "task" {
  for_each = local.granted

  name   = each.value.role
  role   = aws_iam_role.task[each.value.service].id
  policy = local.policies[each.value.role]
}

# What all roles do: schema, keys, users, leases, checkpoints are small versioned values; whose the bucket is stands in it.
data "aws_iam_policy_document" "common" {
  statement {
    sid       = "KeyValue"
    actions   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"]
    resources = [aws_dynamodb_table.keyvalue.arn]
  }

  statement {
    sid       = "ListObjects"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.kms_key_arn]
  }
}

# Ingest puts into the raw stream, and what is too large for it beside it.
data "aws_iam_policy_document" "ingest" {
  source_policy_documents = [data.aws_iam_policy_document.common.json]

  statement {
    sid       = "PutRaw"
    actions   = ["kinesis:PutRecords", "kinesis:ListShards", "kinesis:DescribeStreamSummary", "kinesis:IncreaseStreamRetentionPeriod", "kinesis:DecreaseStreamRetentionPeriod"]
    resources = [aws_kinesis_stream.this["raw"].arn]
  }

  statement {
    sid       = "ReadOwner"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/owner"]
  }

  statement {
    sid       = "SpillRaw"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${local.bucket_arn}/owner", "${local.bucket_arn}/spill/raw/*"]
  }
}

# Stages read all streams, write the later ones, nearline and the archive. They ask the lake what it has, and make tables that are
# missing.
data "aws_iam_policy_document" "stage" {
  source_policy_documents = [data.aws_iam_policy_document.tables.json]

  statement {
    sid = "ReadStreams"
    actions = [
      "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:DescribeStreamSummary",
      "kinesis:RegisterStreamConsumer", "kinesis:DescribeStreamConsumer",
      "kinesis:IncreaseStreamRetentionPeriod", "kinesis:DecreaseStreamRetentionPeriod",
    ]
    resources = [for stream in aws_kinesis_stream.this : stream.arn]
  }

  statement {
    sid       = "Subscribe"
    actions   = ["kinesis:SubscribeToShard", "kinesis:DescribeStreamConsumer"]
    resources = [for stream in aws_kinesis_stream.this : "${stream.arn}/consumer/*"]
  }

  statement {
    sid       = "PutStreams"
    actions   = ["kinesis:PutRecords"]
    resources = [aws_kinesis_stream.this["staged"].arn, aws_kinesis_stream.this["errors"].arn]
  }

  statement {
    sid = "Nearline"
    actions = [
      "dynamodb:CreateTable", "dynamodb:DescribeTable",
      "dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem",
    ]
    resources = local.weeks
  }

  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/*"]
  }

  statement {
    sid       = "WriteObjects"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${local.bucket_arn}/owner", "${local.bucket_arn}/archive/*", "${local.bucket_arn}/spill/*", "${local.bucket_arn}/nearline/*"]
  }

}

# Who makes tables has DynamoDB encrypt them ("Encryption at rest: how it works", DynamoDB developer guide).
data "aws_iam_policy_document" "tables" {
  source_policy_documents = [data.aws_iam_policy_document.common.json]

  statement {
    sid = "KeyOfTables"
    actions = [
      "kms:CreateGrant", "kms:DescribeKey", "kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
      "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
    ]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["dynamodb.${local.region}.amazonaws.com"]
    }
  }
}

# Compaction reads the archive and writes the lake; it sweeps both the lake and what lies beside the streams, makes and drops the
# weekly tables, and puts error rows of conflicts. One of them scales the streams.
data "aws_iam_policy_document" "compact" {
  source_policy_documents = [data.aws_iam_policy_document.tables.json]

  statement {
    sid       = "ReadStreams"
    actions   = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:DescribeStreamSummary", "kinesis:UpdateShardCount"]
    resources = [for stream in aws_kinesis_stream.this : stream.arn]
  }

  statement {
    sid       = "PutErrors"
    actions   = ["kinesis:PutRecords"]
    resources = [aws_kinesis_stream.this["errors"].arn]
  }

  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/*"]
  }

  statement {
    sid       = "WriteLake"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${local.bucket_arn}/owner", "${local.bucket_arn}/lake/*", "${local.bucket_arn}/spill/errors/*"]
  }

  statement {
    sid = "KeepNearline"
    actions = [
      "dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:DeleteTable", "dynamodb:UpdateTable",
      "dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
    ]
    resources = local.weeks
  }

  # CloudWatch grants its metrics by no resource.
  dynamic "statement" {
    for_each = var.stream_utilisation == "cloudwatch" ? [true] : []

    content {
      sid       = "Utilisation"
      actions   = ["cloudwatch:GetMetricData"]
      resources = ["*"]
    }
  }

  # Archives are what everything can be made from again: only the bucket's lifecycle removes them.
  statement {
    sid       = "Sweep"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.bucket_arn}/lake/*", "${local.bucket_arn}/spill/*", "${local.bucket_arn}/nearline/*"]
  }
}

# A gateway reads. What it changes, the schema and requests to compact, is in the key-value store.
data "aws_iam_policy_document" "gateway" {
  source_policy_documents = [data.aws_iam_policy_document.common.json]

  # For fieldgate.lag alone.
  statement {
    sid       = "ReadStreams"
    actions   = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:DescribeStreamSummary"]
    resources = [for stream in aws_kinesis_stream.this : stream.arn]
  }

  statement {
    sid       = "ReadNearline"
    actions   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query"]
    resources = local.weeks
  }

  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/owner", "${local.bucket_arn}/lake/*", "${local.bucket_arn}/nearline/*"]
  }
}

# What ECS itself needs to start a task: the image, the logs, the certificate.
resource "aws_iam_role" "execution" {
  name               = "${var.prefix}-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "${local.arn}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "Certificate"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.certificate_secret_arn]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}
