# The task may do what Fieldgate does to its own streams, tables and objects, and nothing else: it cannot delete an archive,
# a stream or the key-value table.
locals {
  table_arns = "${local.arn}:dynamodb:${local.region}:${local.account}:table/${var.prefix}"
  bucket_arn = aws_s3_bucket.this.arn
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
  name               = "${var.prefix}-task"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
  tags               = local.tags
}

data "aws_iam_policy_document" "task" {
  # Schema, keys, users, leases, checkpoints: small versioned values.
  statement {
    sid       = "KeyValue"
    actions   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"]
    resources = [aws_dynamodb_table.keyvalue.arn]
  }

  # The weekly tables are made and dropped by the program.
  statement {
    sid = "Nearline"
    actions = [
      "dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:DeleteTable", "dynamodb:UpdateTable",
      "dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
    ]
    resources = ["${local.table_arns}-????-W??", "${local.table_arns}-late", "${local.table_arns}-nearline"]
  }

  statement {
    sid = "Streams"
    actions = [
      "kinesis:PutRecords", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:DescribeStreamSummary",
      "kinesis:RegisterStreamConsumer", "kinesis:DescribeStreamConsumer", "kinesis:UpdateShardCount",
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
    sid       = "ReadObjects"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/*"]
  }

  statement {
    sid       = "ListObjects"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]
  }

  statement {
    sid       = "WriteObjects"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${local.bucket_arn}/*"]
  }

  # Archives are what everything can be made from again: only the bucket's lifecycle removes them.
  statement {
    sid       = "DeleteObjects"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.bucket_arn}/lake/*", "${local.bucket_arn}/spill/*", "${local.bucket_arn}/nearline/*"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "task" {
  name   = "work"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.task.json
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
