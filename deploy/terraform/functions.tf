# The stages as functions, in place of services of role stage. Each polls a stream by a mapping of its own; delivery waits, so
# that a call has enough for an object of the archive.
locals {
  functions = var.stages == "lambda" ? {
    raw      = { streams = ["raw"], window = 0 }
    staging  = { streams = ["staged", "errors"], window = 0 }
    delivery = { streams = ["raw", "staged", "errors"], window = 30 }
  } : {}

  mappings = merge([for stage, function in local.functions : {
    for stream in function.streams : "${stage}-${stream}" => { stage = stage, stream = stream, window = function.window }
  }]...)

  # Mappings poll each shard once a second, and Kinesis allows five reads.
  function_environment = merge(local.environment, {
    FIELDGATE_DATA_DIR                = "/tmp/fieldgate"
    FIELDGATE_STREAM_READS_PER_SECOND = "2"
  })
}

resource "aws_lambda_function" "stage" {
  for_each = local.functions

  function_name    = "${var.prefix}-${each.key}"
  description      = "Fieldgate's stage ${each.key}."
  role             = aws_iam_role.function[0].arn
  runtime          = "provided.al2023"
  handler          = each.key
  architectures    = [var.lambda_architecture]
  filename         = var.lambda_package
  source_code_hash = filebase64sha256(var.lambda_package)
  memory_size      = var.lambda_memory
  timeout          = 60
  kms_key_arn      = local.kms_key_arn
  tags             = local.tags

  environment {
    variables = local.function_environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.service.name
  }

  depends_on = [aws_iam_role_policy.function]
}

# A mapping that gives up passes over what was acknowledged: it retries without bound and age, from the record that the function
# names. One batch of a shard at a time keeps the order. After an error without an answer the batch was too much for the
# function, and is halved.
resource "aws_lambda_event_source_mapping" "stage" {
  for_each = local.mappings

  event_source_arn                   = aws_kinesis_stream.this[each.value.stream].arn
  function_name                      = aws_lambda_function.stage[each.value.stage].arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 1000
  maximum_batching_window_in_seconds = each.value.window
  parallelization_factor             = 1
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = -1
  maximum_record_age_in_seconds      = -1
  function_response_types            = ["ReportBatchItemFailures"]
  tags                               = local.tags

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.passed[0].arn
    }
  }
}

# Told of records that a mapping passed over, which it does only when the stream has let go of them.
resource "aws_sqs_queue" "passed" {
  count = var.stages == "lambda" ? 1 : 0

  name                      = "${var.prefix}-passed"
  message_retention_seconds = 1209600
  kms_master_key_id         = local.kms_key_arn
  tags                      = local.tags
}

data "aws_iam_policy_document" "functions_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "function" {
  count = var.stages == "lambda" ? 1 : 0

  name               = "${var.prefix}-function"
  assume_role_policy = data.aws_iam_policy_document.functions_assume.json
  tags               = local.tags
}

# A function does what a process of role stage does, and its mapping reads under its role. It subscribes to nothing.
data "aws_iam_policy_document" "function" {
  source_policy_documents = [data.aws_iam_policy_document.stage.json]

  statement {
    sid       = "Map"
    actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
    resources = [for stream in aws_kinesis_stream.this : stream.arn]
  }

  statement {
    sid       = "TellOfPassed"
    actions   = ["sqs:SendMessage"]
    resources = [for queue in aws_sqs_queue.passed : queue.arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.service.arn}:*"]
  }
}

resource "aws_iam_role_policy" "function" {
  count = var.stages == "lambda" ? 1 : 0

  name   = "function"
  role   = aws_iam_role.function[0].id
  policy = data.aws_iam_policy_document.function.json
}
