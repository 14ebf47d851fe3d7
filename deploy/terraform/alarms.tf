locals {
  errors_metric  = "Errors"
  refused_metric = "Refusals"

  # A stage that stands shows as records that grow old in its stream. Each reader of a stream waits for its own, and the
  # metric is of the slowest.
  alarms = merge(
    { for name, stream in aws_kinesis_stream.this : "${name}-age" => {
      description = "The oldest record of stream ${stream.name} that a stage has not read is over five minutes old: a stage stands or is too slow."
      namespace   = "AWS/Kinesis"
      metric      = "GetRecords.IteratorAgeMilliseconds"
      statistic   = "Maximum"
      threshold   = 300000
      dimensions  = { StreamName = stream.name }
    } },
    { for name, stream in aws_kinesis_stream.this : "${name}-throttled" => {
      description = "Stream ${stream.name} refuses records: it needs more shards, or one shard is hot."
      namespace   = "AWS/Kinesis"
      metric      = "WriteProvisionedThroughputExceeded"
      statistic   = "Sum"
      threshold   = 100
      dimensions  = { StreamName = stream.name }
    } },
    { for name, function in aws_lambda_function.stage : "${name}-function-age" => {
      description = "Function ${function.function_name} is over five minutes behind in a stream: it stands or is too slow."
      namespace   = "AWS/Lambda"
      metric      = "IteratorAge"
      statistic   = "Maximum"
      threshold   = 300000
      dimensions  = { FunctionName = function.function_name }
    } },
    { for name, function in aws_lambda_function.stage : "${name}-function-errors" => {
      description = "Function ${function.function_name} ends in errors: it runs out of memory or time, or cannot start."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      statistic   = "Sum"
      threshold   = 5
      dimensions  = { FunctionName = function.function_name }
    } },
    { for name, queue in aws_sqs_queue.passed : "passed-${name}" => {
      description = "A mapping passed over records: queue ${queue.name} has which. The stage reads them from the stream where it still has them."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      statistic   = "Maximum"
      threshold   = 1
      dimensions  = { QueueName = queue.name }
    } },
    { for name, group in aws_lb_target_group.this : "${name}-unhealthy" => {
      description = "A task behind the load balancer's group ${group.name} does not answer its health check."
      namespace   = "AWS/NetworkELB"
      metric      = "UnHealthyHostCount"
      statistic   = "Maximum"
      threshold   = 1
      dimensions  = { TargetGroup = group.arn_suffix, LoadBalancer = aws_lb.this.arn_suffix }
    } },
    { for name, service in aws_ecs_service.this : "${name}-memory" => {
      description = "The tasks of service ${service.name} use over 90 % of their memory."
      namespace   = "AWS/ECS"
      metric      = "MemoryUtilization"
      statistic   = "Average"
      threshold   = 90
      dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = service.name }
    } },
    # A service without tasks has none of the other metrics, which alarms take for well.
    { for name, service in aws_ecs_service.this : "${name}-tasks" => {
      description = "Service ${service.name} has fewer tasks than its least: they end, or do not start."
      namespace   = "ECS/ContainerInsights"
      metric      = "RunningTaskCount"
      statistic   = "Average"
      threshold   = local.services[name].min
      dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = service.name }
      below       = true
    } },
    {
      keyvalue-reads-throttled = {
        description = "The key-value table refuses reads: schema, leases and checkpoints wait."
        namespace   = "AWS/DynamoDB"
        metric      = "ReadThrottleEvents"
        statistic   = "Sum"
        threshold   = 10
        dimensions  = { TableName = aws_dynamodb_table.keyvalue.name }
      }
      keyvalue-writes-throttled = {
        description = "The key-value table refuses writes: leases and checkpoints wait."
        namespace   = "AWS/DynamoDB"
        metric      = "WriteThrottleEvents"
        statistic   = "Sum"
        threshold   = 10
        dimensions  = { TableName = aws_dynamodb_table.keyvalue.name }
      }
      errors = {
        description = "The server logs errors: a stage stands, a shard is hot, a file cannot be used."
        namespace   = var.prefix
        metric      = local.errors_metric
        statistic   = "Sum"
        threshold   = 10
        dimensions  = {}
      }
      refused = {
        description = "Ingest refuses events: the stages are so far behind that the streams would let go of some."
        namespace   = var.prefix
        metric      = local.refused_metric
        statistic   = "Sum"
        threshold   = 1
        dimensions  = {}
      }
    },
  )
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.service.name
  pattern        = "\"level=ERROR\""

  metric_transformation {
    namespace = var.prefix
    name      = local.errors_metric
    value     = "1"
  }
}

# A process that refuses events says so once a minute.
resource "aws_cloudwatch_log_metric_filter" "refused" {
  name           = "refused"
  log_group_name = aws_cloudwatch_log_group.service.name
  pattern        = "\"events are refused\""

  metric_transformation {
    namespace = var.prefix
    name      = local.refused_metric
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = each.value.dimensions
  comparison_operator = try(each.value.below, false) ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = try(each.value.below, false) ? "breaching" : "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags
}
