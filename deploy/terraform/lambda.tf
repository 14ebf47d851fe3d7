# The raw and the staging stage as Lambda functions, where var.stages says so: nothing to scale, paid by use. A stage is a
# pure function of its record, and a batch of which some records could not be handled is asked for again from the first of
# them on.
locals {
  functions = var.stages == "lambda" ? {
    raw     = { stream = "raw" }
    staging = { stream = "staged" }
  } : {}
}

data "aws_iam_policy_document" "functions_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name               = "${var.prefix}-function-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.functions_assume.json
  tags               = local.tags
}

# A function does the stage role's work, and writes its log.
resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name   = "work"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.role["stage"].json
}

data "aws_iam_policy_document" "function_log" {
  for_each = local.functions

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }
}

resource "aws_iam_role_policy" "function_log" {
  for_each = local.functions

  name   = "log"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function_log[each.key].json
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/${var.prefix}/function-${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = local.kms_key_arn
  tags              = local.tags
}

resource "aws_lambda_function" "stage" {
  for_each = local.functions

  function_name    = "${var.prefix}-${each.key}"
  role             = aws_iam_role.function[each.key].arn
  filename         = var.lambda_package
  source_code_hash = filebase64sha256(var.lambda_package)
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = ["x86_64"]
  memory_size      = 1024
  timeout          = 120
  kms_key_arn      = local.kms_key_arn
  tags             = local.tags

  environment {
    variables = merge(local.environment, { FIELDGATE_LAMBDA_STAGE = each.key, FIELDGATE_DATA_DIR = "/tmp/fieldgate" })
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }
}

resource "aws_lambda_event_source_mapping" "stage" {
  for_each = local.functions

  event_source_arn                   = aws_kinesis_stream.this[each.value.stream].arn
  function_name                      = aws_lambda_function.stage[each.key].arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 500
  maximum_batching_window_in_seconds = 1
  # One at a time a shard: the order within it is what duplicates and conflicts are told by.
  parallelization_factor = 1
  # Nothing is ever given up: a stage that cannot go on stands, and the alarm of its stream's age rings.
  maximum_retry_attempts        = -1
  maximum_record_age_in_seconds = -1
  function_response_types       = ["ReportBatchItemFailures"]
  tags                          = local.tags
}
