# Each role may do what its part of the work needs and nothing else: ingest cannot read a stream or an object, the gateway
# cannot change an event.
locals {
  stream_arns   = { for name, stream in aws_kinesis_stream.this : name => stream.arn }
  table_arns    = "${local.arn}:dynamodb:${local.region}:${local.account}:table/${var.prefix}"
  keyvalue_arn  = aws_dynamodb_table.keyvalue.arn
  nearline_arns = ["${local.table_arns}-????-W??", "${local.table_arns}-late", "${local.table_arns}-nearline"]
  bucket_arn    = aws_s3_bucket.this.arn

  # The roles of which each capability is one.
  writes_streams = {
    ingest  = [local.stream_arns.raw]
    stage   = [local.stream_arns.staged, local.stream_arns.errors]
    compact = [local.stream_arns.errors]
  }
  reads_streams = {
    stage = values(local.stream_arns)
  }
  scales_streams = {
    stage = values(local.stream_arns)
  }
  writes_objects = {
    stage   = ["${local.bucket_arn}/archive/*", "${local.bucket_arn}/spill/*", "${local.bucket_arn}/nearline/*"]
    compact = ["${local.bucket_arn}/lake/*", "${local.bucket_arn}/spill/*"]
  }
  deletes_objects = {
    compact = ["${local.bucket_arn}/lake/*", "${local.bucket_arn}/spill/*", "${local.bucket_arn}/nearline/*"]
  }
  reads_objects = {
    stage   = ["${local.bucket_arn}/spill/*", "${local.bucket_arn}/archive/*", "${local.bucket_arn}/nearline/*", "${local.bucket_arn}/lake/*"]
    compact = ["${local.bucket_arn}/*"]
    gateway = ["${local.bucket_arn}/lake/*", "${local.bucket_arn}/nearline/*", "${local.bucket_arn}/spill/*"]
  }
  roles = toset(["ingest", "stage", "compact", "gateway"])
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

resource "aws_iam_role" "role" {
  for_each = local.roles

  name               = "${var.prefix}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
  tags               = local.tags
}

data "aws_iam_policy_document" "role" {
  for_each = local.roles

  # Schema, keys, users, leases, checkpoints: small versioned values that every role reads, and writes some of.
  statement {
    sid       = "KeyValue"
    actions   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"]
    resources = [local.keyvalue_arn]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.kms_key_arn]
  }

  dynamic "statement" {
    for_each = contains(keys(local.writes_streams), each.key) ? [local.writes_streams[each.key]] : []
    content {
      sid       = "WriteStreams"
      actions   = ["kinesis:PutRecords", "kinesis:PutRecord", "kinesis:DescribeStreamSummary", "kinesis:ListShards"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.reads_streams), each.key) ? [local.reads_streams[each.key]] : []
    content {
      sid = "ReadStreams"
      actions = [
        "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStreamSummary", "kinesis:ListShards",
        "kinesis:RegisterStreamConsumer", "kinesis:DescribeStreamConsumer",
      ]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.reads_streams), each.key) ? [local.reads_streams[each.key]] : []
    content {
      sid       = "Subscribe"
      actions   = ["kinesis:SubscribeToShard"]
      resources = [for arn in statement.value : "${arn}/consumer/*"]
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.scales_streams), each.key) && var.stream_mode == "PROVISIONED" ? [local.scales_streams[each.key]] : []
    content {
      sid       = "ScaleStreams"
      actions   = ["kinesis:UpdateShardCount", "kinesis:SplitShard", "kinesis:MergeShards"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = each.key == "stage" ? [1] : []
    content {
      sid = "WriteNearline"
      actions = [
        "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:GetItem", "dynamodb:Query",
        "dynamodb:DescribeTable", "dynamodb:CreateTable", "dynamodb:UpdateTable",
      ]
      resources = local.nearline_arns
    }
  }

  dynamic "statement" {
    for_each = each.key == "compact" ? [1] : []
    content {
      sid = "AgeNearline"
      actions = [
        "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query",
        "dynamodb:DescribeTable", "dynamodb:CreateTable", "dynamodb:UpdateTable", "dynamodb:DeleteTable",
      ]
      resources = local.nearline_arns
    }
  }

  dynamic "statement" {
    for_each = each.key == "gateway" ? [1] : []
    content {
      sid       = "ReadNearline"
      actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:DescribeTable"]
      resources = local.nearline_arns
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.reads_objects), each.key) ? [local.reads_objects[each.key]] : []
    content {
      sid       = "ReadObjects"
      actions   = ["s3:GetObject"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.reads_objects), each.key) ? [1] : []
    content {
      sid       = "ListObjects"
      actions   = ["s3:ListBucket"]
      resources = [local.bucket_arn]
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.writes_objects), each.key) ? [local.writes_objects[each.key]] : []
    content {
      sid       = "WriteObjects"
      actions   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.deletes_objects), each.key) ? [local.deletes_objects[each.key]] : []
    content {
      sid       = "DeleteObjects"
      actions   = ["s3:DeleteObject"]
      resources = statement.value
    }
  }
}

resource "aws_iam_role_policy" "role" {
  for_each = local.roles

  name   = "work"
  role   = aws_iam_role.role[each.key].id
  policy = data.aws_iam_policy_document.role[each.key].json
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
    resources = [var.gateway_certificate_secret_arn]
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
